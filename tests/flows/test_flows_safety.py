"""What must be heard in any state and any wording, and the near-misses that must not be mistaken for it."""

import pytest

from flows.model import Safety
from flows.router import Context, route
from flows.safety import safety

STOPS = [
    "stop", "Stop.", "STOP!!", " stop\n", "stop please", "please stop texting me", "no more texts", "unsubscribe me",
    "opt out", "opt-out", "optout", "quit", "end", "revoke", "cancel my texts", "remove me", "leave me alone",
    "no mas", "No más", "alto", "parar", "cancelar mensajes", "stpo",
    "STOPALL", "stop all", "Unsubscribe", "CANCEL", "Cancelar", "baja", "detener", "please stop", "stop it now",
    "don't text me anymore", "Don\u2019t text me again", "do not contact me again", "I don't want these messages",
    "dont want any texts", "quit texting me", "enough texts already", "stop sending me messages",
    "take me off your list", "lose my number", "delete my number", "I want to opt out of this",
    "please unsubscribe", "never text me again", "stopp", "sotp", "end texts", "stop the texts after the scan",
    "basta", "pare por favor", "paren", "ya no mas", "no quiero mas mensajes", "no me envien mas mensajes",
    "No me envíen más mensajes", "dejen de enviarme mensajes", "deje de escribirme", "no me escriban mas",
    "quiero darme de baja", "déjenme en paz", "no me manden mensajes", "quítenme de la lista",
    "STOP\u2026", "\uff33\uff34\uff2f\uff30", "stop 🛑", "stop, I want to die", "STOP. I can't breathe", "STOP. I mean it",
    "Stop! Stop!", "please make the texts stop", "I revoke my consent to these texts",
]  # fmt: skip
NOT_STOPS = [
    "when do I stop drinking water?", "can I cancel my scan?", "the end of the street?", "bus stop",
    "do I stop my blood thinner?", "When should I stop eating?", "should I stop taking metformin",
    "can I stop my insulin the night before", "is there a bus stop near you", "when does it end",
    "what happens at the end of the scan", "cancel my scan", "please cancel my appointment", "cancel the visit",
    "I need to cancel the visit", "I quit smoking last year", "do they stop the scan if I panic",
    "can I stop the scan if I feel closed in", "is the clinic near the last stop on the red line",
    "will it ever stop hurting", "do I have to quit drinking coffee", "which medicines do I stop",
    "my wife will text me the address", "can you text me the address", "can I message you on the day",
    "does the tracer stop working", "stop by the front desk?", "do I stop at the front desk first",
    "should I end my fast after the scan", "when does the radiation stop", "can I opt for the afternoon",
    "what if I want to stop halfway", "no more questions", "no more coffee after midnight?",
    "I don't want to miss the appointment", "do I need to remove my hearing aids", "how many texts will I get",
    "I stopped taking lupron in may", "will I get text messages about parking", "when do the texts start",
    "quiero cancelar mi cita", "puedo cancelar la cita", "cuando dejo de comer", "debo dejar de tomar mi medicina",
    "donde es la parada", "hasta el fin de la calle", "al final de la prueba", "no tengo mas preguntas",
    "puedo parar a comer antes", "cancel my appointment and text me a new date",
    "when I stop eating will you text me", "don't forget to text me the address",
]  # fmt: skip
CRISES = [
    "I want to kill myself", "I want to die", "I WANT TO DIE", "I don't want to live anymore", "wanna die",
    "I\u2019m going to kill myself", "im going to end my life", "thinking about suicide", "no reason to live",
    "there's no point in living", "they would be better off without me", "I can't go on", "I took all my pills",
    "I wish I was dead", "I'd rather be dead", "want to end it all", "I'm going to hurt myself",
    "I dont want to be here anymore", "I don't want to wake up tomorrow", "stop, I want to die",
    "quiero morir", "me quiero morir", "voy a matarme", "no quiero vivir", "ya no quiero vivir",
    "no quiero seguir viviendo", "quiero suicidarme", "estarían mejor sin mí", "prefiero morir",
    "pienso en quitarme la vida", "hacerme daño", "no puedo más", "ya no aguanto más", "I can't do it anymore",
    "I'm not going on",
]  # fmt: skip
URGENCIES = [
    "I can't breathe", "I can\u2019t breathe", "trouble breathing", "hard to breathe after the shot",
    "short of breath", "I have chest pain", "my chest hurts", "pain in my chest", "my face is swelling up",
    "swollen throat", "my tongue feels swollen", "I passed out", "I fainted", "I think I'm having a stroke",
    "heart attack", "the bleeding won't stop", "I'm peeing blood", "coughing up blood", "I can't pee",
    "I can't feel my legs", "my legs are numb", "I have a fever of 103", "hives all over", "allergic reaction",
    "call 911", "I need an ambulance", "he is having a seizure", "lost control of my bladder", "my chest is tight",
    "no puedo respirar", "dolor en el pecho", "tengo presión en el pecho", "cara hinchada", "me desmayé",
    "mucha sangre", "no puedo orinar", "dificultad para respirar", "garganta hinchada", "me cuesta tragar",
]  # fmt: skip
WRONG_NUMBERS = [
    "wrong number", "Wrong number!", "sorry, wrong number", "you have the wrong person", "this is not his phone",
    "This isn't her number", "I am not that patient", "not my appointment", "this isn't my appointment",
    "número equivocado", "este no es su número", "se equivocó de número", "This is not my appointment, sorry",
    "that isn't my visit", "I never had an appointment with you", "I never made an appointment", "not my scan, wrong man",
]  # fmt: skip
DEATHS = ["he died last week", "my husband passed away", "my father has died", "he is no longer with us",
          "falleció ayer", "mi esposo murió",
          "my dad died of his cancer on Sunday, is it too late to cancel",
          "my father passed away last week, can I take him off",
          "mi padre murió ayer, debo cancelar", "my father died",
          "my dad died, should I cancel his appointment", "my father passed away, do I need to call about his scan",
          "mi padre murió, debo avisar de su cita"]  # fmt: skip
RESULTS = ["what does my result mean", "what do my results mean", "my report says SUV 12", "do I have cancer",
           "has it spread", "did the cancer come back", "tell me my results", "is my result bad", "mis resultados",
           "what did my scan show", "got my results back"]  # fmt: skip
NEITHER_WRONG_NUMBER_NOR_DEATH = [
    "I have never had a scan before. Does it hurt?",
    "Isn't my appointment at 9:15?",
    "isn't my scan on Thursday?",
    "This is not my appointment time, I asked for the afternoon",
    "It's not my scan that worries me, it is the biopsy",
    "I never had a scan",
    "this isn't my first scan",
    "My father died of prostate cancer. Is it hereditary?",
    "my dad died at 62 of this",
    "my brother passed away years ago from prostate cancer",
    "my grandfather died of it, should I be worried",
    "my father died of this and I am scared",
    "mi padre murió de cáncer de próstata. ¿Es hereditario?",
    "mi hermano falleció hace años de lo mismo",
    "se murió mi papá de esto y tengo miedo",
    "Esta no es mi primera cita",
]
HARMLESS = [
    "", "  ", "?", "is it safe", "can I drink water", "I'm dying to know", "will it hurt", "Thanks!", "where do I park",
    "is the injection dangerous", "does blood pressure medicine matter", "I live in Dallas", "I walk with a cane",
    "kill two birds with one stone", "I'd kill for a coffee", "I have a bad back", "my phone battery died",
    "when do I get my results", "what does positive mean", "how long for results", "hola", "gracias", "si", "👍",
]  # fmt: skip


@pytest.mark.parametrize("text", STOPS)
def test_a_clear_wish_to_stop_is_heard_in_any_wording(text: str) -> None:
    assert Safety.OPT_OUT in safety(text)


@pytest.mark.parametrize("text", NOT_STOPS)
def test_a_question_that_only_sounds_like_stop_does_not_opt_out(text: str) -> None:
    assert Safety.OPT_OUT not in safety(text)


@pytest.mark.parametrize("text", CRISES)
def test_a_cry_for_help_is_heard(text: str) -> None:
    assert Safety.CRISIS in safety(text)


@pytest.mark.parametrize("text", URGENCIES)
def test_an_urgent_symptom_is_heard(text: str) -> None:
    assert Safety.URGENT in safety(text)


@pytest.mark.parametrize("text", WRONG_NUMBERS)
def test_a_wrong_number_is_heard(text: str) -> None:
    assert Safety.WRONG_NUMBER in safety(text)


@pytest.mark.parametrize("text", DEATHS)
def test_a_death_is_heard(text: str) -> None:
    assert Safety.DIED in safety(text)


@pytest.mark.parametrize("text", NEITHER_WRONG_NUMBER_NOR_DEATH)
def test_what_he_says_of_his_own_visit_and_family_does_not_silence_us(text: str) -> None:
    assert not {Safety.WRONG_NUMBER, Safety.DIED} & (safety(text) | route(text, Context()).safety)


@pytest.mark.parametrize("text", RESULTS)
def test_a_question_about_ones_own_result_is_heard(text: str) -> None:
    assert Safety.RESULTS in safety(text)


@pytest.mark.parametrize("text", HARMLESS)
def test_ordinary_texts_raise_no_alarm(text: str) -> None:
    assert safety(text) == frozenset()


def test_several_meanings_of_one_text_are_all_heard() -> None:
    found = safety("Wrong number, stop texting me. And my chest hurts, I want to die")
    assert found == {Safety.WRONG_NUMBER, Safety.OPT_OUT, Safety.URGENT, Safety.CRISIS}


def test_a_harmless_phrase_does_not_hide_a_real_wish_beside_it() -> None:
    assert Safety.OPT_OUT in safety("cancel my scan and stop texting me")
    assert Safety.CRISIS in safety("I am dying to know but I want to die")


@pytest.mark.parametrize("word", ["cancel", "end", "quit", "baja", "alto"])
def test_a_carrier_word_counts_only_as_the_whole_text(word: str) -> None:
    assert Safety.OPT_OUT in safety(f" {word.upper()}. ")
    assert Safety.OPT_OUT not in safety(f"what does {word} of the road look like")
