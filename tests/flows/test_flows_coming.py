"""Whether he comes: only a clear yes books him, a plain no is a change, and what is open stays open."""

import pytest

from flows.coming import in_doubt, said
from flows.engine import step
from flows.model import Conversation, Note, Safety, Say, Standing, Step, TextReceived
from flows.router import Context, route
from flows.shipped import script

HERE = Context()
NOT_COMING = [
    "not coming", "im not coming", "I'm not coming", "no i am not coming", "wont be coming", "i will not be coming",
    "I won't be there", "i won't be there on saturday", "I won\u2019t be there", "i am not going", "not going",
    "we are not coming", "he's not coming", "dad is not coming", "my husband will not be there", "sorry, I can't come",
    "i cant make it", "i can't come", "I can't make it tomorrow", "can't come",
    "we can't make it friday", "I will not be able to come", "won't be able to make it", "unable to attend",
    "I ain't coming", "no longer coming", "I don't plan on coming", "not going to be there", "not gonna come",
    "I am not going to the appointment", "I can't make my appointment", "unfortunately I can't attend",
    "I won't show up", "couldn't come sorry", "no voy a ir", "no estare ahi", "no estaré ahí", "no voy", "no no voy",
    "ya no voy", "ya no voy a ir", "no vamos a ir", "no puedo ir", "no podré ir", "no puedo ir el jueves",
    "no voy a poder ir", "no iré", "no asistiré", "no boy a ir", "mi papá no va a ir", "lo siento, no puedo ir mañana",
    "disculpe no voy a poder asistir", "no voy a ir a la cita",
]  # fmt: skip
OPEN = [
    "maybe", "Maybe...", "not sure", "i doubt it", "doubtful", "depends", "it depends", "i might come", "I might",
    "i will try", "I'll try", "I'll try to be there", "will see", "we'll see", "let me check", "let me think about it",
    "i will let you know", "I'll get back to you", "I don't know", "i do not know", "idk", "dunno", "no idea",
    "I have no idea", "perhaps", "probably", "probably not", "i have to think about it", "I need to ask my wife",
    "not sure yet", "I'm not sure if I can make it", "i dont know if i can come", "hopefully", "I think so", "I guess",
    "not yet", "who knows", "hard to say", "no se", "no sé", "no se si voy", "no sé si pueda ir", "no estoy seguro",
    "quizás", "tal vez", "a lo mejor", "depende", "lo dudo", "ya veremos", "vamos a ver", "déjeme ver", "le aviso",
    "yo le aviso", "lo voy a pensar", "tengo que pensarlo", "creo que sí", "ojalá", "voy a tratar", "haré lo posible",
    "todavía no sé", "quién sabe", "ni idea",
]  # fmt: skip
COMING = [
    "I'm coming, not to worry", "no problem I'll be there", "no worries, I will be there", "no faltaré",
    "no voy a faltar", "I would not miss it", "wouldn't miss it", "wouldnt miss it for the world", "of course",
    "of course I will be there", "yes", "I will be there", "I'll be there", "ill be there tomorrow",
    "we will be there", "he will be there", "yes I am coming", "i will come", "ok we will see you then",
    "not a problem, see you monday", "no changes, see you then", "don't worry, he'll be there", "confirmed",
    "ahí estaré", "si voy", "sí voy a ir", "claro que sí", "por supuesto",
    "no hay problema, ahí estaré", "no se preocupe, no voy a faltar", "no falto", "sin falta estamos alla",
    "allá nos vemos", "ni loco falto jaja",
]  # fmt: skip
NO_YES = [
    "tuesday", "monday?", "thursday at 9?", "tomorrow", "later", "the truck", "my wife", "hold on", "already",
    "changed my mind", "skip it", "one moment", "is it tomorrow?", "I changed my mind", "lunes", "mañana", "ya fui",
    "espere", "un momento", "no way", "absolutely not", "not a chance", "claro que no", "para nada", "ten",
    "yes if I can find a ride", "I hope to be there but I doubt it", "sí, pero no sé si pueda",
    "we want to come but we might not make it", "he is not coming, he told me yesterday evening",
]  # fmt: skip
CLOCKS = [
    "9:15", "10:15", "ok 9:15", "9.15", "9 15", "9:15 am", "9:15am", "10 am", "10AM", "at 9:15", "around 10",
    "9 o'clock", "noon",
    "ten", "nine fifteen", "a las 9:15", "a las 10", "a las diez", "las 9 y media", "a las 9 de la mañana",
    "10 en punto",
]  # fmt: skip
# What sounds like staying away and is a cry for help; each must reach the person who looks, one way or the other.
GIVING_UP = [
    "I won't be here much longer", "I won't be here anymore", "I don't want to be here anymore",
    "you won't see me again", "I won't be around", "I can't go on", "I'm not going on",
    "I'm not coming back, I can't live like this", "I won't be there, I'll be dead by then",
    "not coming, I want to die", "I am not going to be here tomorrow", "cancel it, I won't be alive",
    "I won't be there. Not anywhere.", "not coming. tell my family I love them, goodbye", "no quiero seguir aquí",
    "no quiero seguir", "ya no quiero vivir", "ya no voy a estar aquí", "no me van a volver a ver",
    "no voy a ir, para ese día ya estaré muerto", "no voy, ya no quiero vivir", "para que voy a ir si me quiero morir",
]  # fmt: skip


@pytest.mark.parametrize("text", NOT_COMING)
def test_a_plain_no_asks_for_a_change_and_alarms_nobody(text: str) -> None:
    decision = route(text, HERE)
    assert (decision.tier, decision.topics) == ("answer", ("reschedule",))
    assert (decision.safety, decision.caution) == (frozenset(), ())


@pytest.mark.parametrize("text", OPEN)
def test_what_he_leaves_open_is_neither_a_yes_nor_a_no(text: str) -> None:
    decision = route(text, HERE)
    assert (decision.tier, decision.topics, decision.safety, decision.caution) == ("unknown", (), frozenset(), ())


@pytest.mark.parametrize("text", COMING)
def test_a_clear_yes_is_one_whatever_else_it_denies(text: str) -> None:
    decision = route(text, HERE)
    assert (decision.tier, decision.topics, decision.safety) == ("answer", ("confirm",), frozenset())


@pytest.mark.parametrize("text", NO_YES)
def test_nothing_but_a_clear_yes_books_him_or_offers_to(text: str) -> None:
    assert "confirm" not in route(text, HERE).topics


@pytest.mark.parametrize("text", CLOCKS)
def test_an_hour_alone_means_nothing_without_its_question(text: str) -> None:
    decision = route(text, HERE)
    assert (decision.tier, decision.safety, decision.caution) == ("unknown", frozenset(), ())


@pytest.mark.parametrize("text", GIVING_UP)
def test_no_rule_about_coming_hides_a_cry_for_help(text: str) -> None:
    decision = route(text, HERE)
    assert said(text) == ""
    assert Safety.CRISIS in decision.safety or "crisis" in decision.caution


@pytest.mark.parametrize(
    "text", ["I'm not coming anymore", "I'm not going to make it", "no voy a estar", "I won't be here"]
)
def test_what_a_man_who_gives_up_could_say_as_well_is_left_to_the_detectors(text: str) -> None:
    assert said(text) == ""
    assert in_doubt(text)


@pytest.mark.parametrize("text", [*NOT_COMING, *OPEN, *NO_YES])
def test_with_the_question_open_only_a_clear_yes_is_noted(text: str) -> None:
    taken = _reply(Conversation("confirm"), text)
    assert Note("confirmed") not in taken.effects
    assert taken.conversation.standing is Standing.PATIENT


@pytest.mark.parametrize("text", ["maybe", "no se", "idk", "not sure", "10 am"])
def test_what_is_open_is_asked_again(text: str) -> None:
    assert _said(_reply(Conversation("confirm"), text)) == ["confirm_ask"]


def _reply(conversation: Conversation, body: str) -> Step:
    return step(script(), conversation, TextReceived(body, route(body, HERE)))


def _said(taken: Step) -> list[str]:
    return [effect.key for effect in taken.effects if isinstance(effect, Say)]


@pytest.mark.parametrize(
    "text",
    ["I won't make it", "I might not make it", "I won't be coming back", "I'm done", "I'm not going to make it",
     "I'm not going anymore", "ya no puedo", "sorry i wont make it", "Ya no regreso"],
)  # fmt: skip
def test_the_line_that_helps_goes_before_the_answer_where_he_may_be_giving_up(text: str) -> None:
    decision = route(text, Context())
    assert "crisis" in decision.caution or Safety.CRISIS in decision.safety


@pytest.mark.parametrize("text", ["not coming", "no voy", "no puedo ir", "I can't make it on Friday", "done", "maybe"])
def test_and_not_where_only_the_visit_can_be_meant(text: str) -> None:
    decision = route(text, Context())
    assert (decision.caution, decision.safety) == ((), frozenset())
