"""Rules that come before everything else, on every text and in every state.

Recall first: a false alarm costs a safety line and a look by a person, a miss may cost a life. The rules are plain
patterns over `plain()` text, in English and Spanish; the trained detectors join them behind the same function. Carrier
keywords count only as the whole text; a clear wish to stop counts in any wording, yet "when do I stop drinking" or
"cancel my scan" is a question and not an opt-out.
"""

import re

from flows.model import Safety
from flows.words import plain

# The words that carriers themselves act on, and those we honour beside them; each alone as the whole text.
CARRIER_STOP_WORDS = frozenset({"stop", "stopall", "unsubscribe", "end", "quit", "cancel", "revoke", "optout"})
STOP_WORDS = CARRIER_STOP_WORDS | {"opt out", "stop all", "no mas", "alto", "parar", "cancelar", "baja", "detener"}
# Said first and followed by something else, these still mean it: "STOP. I can't breathe" is both.
_STOP_FIRST = frozenset({"stop", "please stop", "stop please", "stopall", "unsubscribe", "opt out", "alto", "stop it"})
CANCEL_WORDS = frozenset({"cancel", "cancelar"})  # he may mean the visit: suppressed, and someone phones him
START_WORDS = frozenset({"start", "unstop"})
CARRIER_HELP_WORDS = frozenset({"help", "info"})
HELP_WORDS = CARRIER_HELP_WORDS | {"ayuda"}
# Alone, a yes: he will come. The open question takes them first; this is for when none is open.
CONFIRM_WORDS = frozenset(
    {"c", "yes", "y", "yep", "yeah", "si", "confirm", "confirmed", "confirmo", "i confirm", "sure"}
)
# Alone and with no question open, these mean nothing: the open question takes them first.
NO_WORDS = frozenset(
    {
        "no",
        "n",
        "nope",
        "nah",
        "no no",
        "nop",
        "nel",
        "no way",
        "absolutely not",
        "not a chance",
        "heck no",
        "no can do",
    }
    | {"claro que no", "para nada", "ni modo", "nope sorry", "no sorry"}
)
LANGUAGE_WORDS = {
    **dict.fromkeys(("english", "ingles", "in english", "en ingles", "inglish"), "en"),
    **dict.fromkeys(
        ("espanol", "spanish", "in spanish", "en espanol", "habla espanol", "hablan espanol", "espanol si"), "es"
    ),
}

_MESSAGES = r"(?:text|texts|texting|txt|txts|txting|messag\w*|msg\w*|sms|mensajes?|textos?)"
_TURNS_AWAY = r" (?:sorry|please|thanks|stop|you|wrong|who|i do not|i don'?t|i am not|i'?m not|remove|take me)\b"
_RULES: dict[Safety, tuple[str, ...]] = {
    Safety.CRISIS: (
        r"\b(?:kill|killing|hurt|hurting|harm|harming|shoot|hang|cut) my ?self\b",
        r"\b(?:end|ending|take|taking) (?:it all|my (?:own )?life)\b",
        r"\bsuicid\w*",
        r"\b(?:want|wanna|wish|ready|going|gonna|rather|like|better off)(?: \w+){0,3} (?:to )?(?:die|dead|be dead)\b",
        r"\bi(?:'d| would| should)(?: \w+){0,2} be dead\b",
        r"\b(?:do not|don'?t|dont) (?:want|wanna) (?:to )?(?:live|be here|wake up|go on|be alive)\b",
        r"\bno (?:reason|point)(?: \w+){0,2} (?:to live|living|going on|go on)\b",
        r"\b(?:better off|easier) without me\b",
        r"\b(?:can'?t|cannot|cant) (?:go on|(?:take|do) (?:it|this) any ?more)\b",
        r"\b(?:swallow|take|took|taken)\w*(?: \w+){0,3} (?:whole bottle|all (?:of )?my pills|all the pills)\b",
        r"\b(?:i'?m|i am) not going on(?: any ?more| like this| with (?:this|my) life)?$",
        r"\bgoodbye (?:cruel )?world\b",
        r"\b(?:driv\w*|steer\w*|run)(?: \w+){0,4} (?:into|off)(?: \w+){0,2} (?:tree|wall|bridge|road|cliff|pole|train)\b",
        r"\bhow many(?: \w+){0,5} (?:pills|tablets)(?: \w+){0,7} (?:not wake|wake up|too many|be enough|to die|to end)\b",
        r"\b(?:cort\w*|abr\w*)(?: \w+)? las venas\b",
        r"\bcuantas(?: \w+){0,4} pastillas(?: \w+){0,7} (?:no despertar|morir\w*|demasiadas|acabar)\b",
        r"\b(?:quiero|voy a|mejor|prefiero|ganas de) (?:morir\w*|matarme|suicid\w*)\b",
        r"\b(?:matarme|suicidarme|quitarme la vida|hacerme dano)\b",
        r"\bno quiero (?:vivir|seguir viviendo|seguir)\b",
        r"\b(?:estarian|estaran) mejor sin mi\b",
        r"^(?:ya )?no (?:puedo|aguanto) mas$",
    ),
    Safety.URGENT: (
        r"\b(?:can'?t|cannot|cant|hard|trouble|difficult\w*|struggling|problems?)(?: \w+){0,2} (?:breath\w*|swallow\w*)\b",
        r"\bshort(?:ness)? of breath\b",
        r"\bchest (?:\w+ ){0,2}(?:pain|hurts|pressure|tight\w*)\b",
        r"\b(?:pain|pressure|tightness)(?: \w+){0,2} (?:in|on) (?:my |the )?chest\b",
        r"\b(?:face|throat|tongue|lips?)(?: \w+){0,2} (?:swell\w*|swollen|closing)\b",
        r"\bswoll?en (?:face|throat|tongue|lips?)\b",
        r"\b(?:pass(?:ed|ing)? out|faint(?:ed|ing)|unconscious|collapsed|seizure|stroke)\b",
        r"\bheart attack\b",
        r"\b(?:bleed\w*|blood)(?: \w+){0,4} (?:won'?t stop|a lot|heavy|heavily|everywhere|clots?)\b",
        r"\b(?:lots? of|peeing|urinating|pissing|vomiting|coughing(?: up)?) blood\b",
        r"\b(?:can'?t|cannot|cant|unable to) (?:pee|urinate|feel my legs?|move my legs?|walk)\b",
        r"\b(?:legs? (?:are |is |went |gone )?numb|numb legs?|lost control of (?:my )?(?:bladder|bowels?))\b",
        r"\b(?:high fever|fever of|rash all over|hives|anaphyla\w*|allergic reaction)\b",
        r"\b(?:call(?:ing)?|need|send) (?:911|an ambulance)\b",
        r"\b(?:no puedo|dificultad para|me cuesta|problemas para) (?:respirar|tragar|orinar|caminar)\b",
        r"\b(?:dolor|presion) (?:en|de) (?:el |mi )?pecho\b",
        r"\b(?:cara|garganta|lengua|labios?) hinchad\w*\b",
        r"\b(?:me desmaye|desmayo|sangrando mucho|mucha sangre|ambulancia|infarto)\b",
    ),
    Safety.OPT_OUT: (
        rf"\b(?:stop|quit|end|no more|cease|halt|cancel|enough)(?: \w+){{0,4}} {_MESSAGES}\b",
        r"\b(?:do not|don'?t|dont|never)(?! forget)(?: \w+){0,3} (?:text|texts|texting|message|messages|messaging|contact)"
        r"(?: me| again| anymore| any ?more|(?: \w+){1,3} again)",
        rf"\b(?:do not|don'?t|dont) (?:want|need)(?: \w+){{0,3}} {_MESSAGES}\b",
        r"\b(?:unsubscribe|unsub|opt(?:ing)? ?out|take me off|remove me|delete my number|lose my number)\b",
        r"\bleave me alone\b",
        rf"\bmake (?:the |these |those |your )?{_MESSAGES} stop\b",
        r"\b(?:revoke|withdraw|take back)(?: \w+){0,2} (?:consent|permission)\b",
        r"^(?:please )?stop(?: it| this| now| please| all| everything)*$",
        r"\b(?:but|so|just|now|ok|okay|please) stop(?: it| this| now| please)*$",
        r"^(?:stpo|sotp|stop+|stopp+|stip|st0p|pare|paren|basta)(?: please| por favor)?$",
        r"^(?:please )?(?:no more|quit it|make it stop|revoke(?: \w+){0,3}|end this)$",
        rf"\b(?:no (?:me )?(?:envien?|manden?|escriban?|quiero)(?: \w+){{0,2}} (?:mas )?{_MESSAGES}|"
        rf"(?:dejen?|deje|paren?|pare) de (?:enviar|mandar|escribir)\w*|cancelar (?:los )?{_MESSAGES}|"
        r"no me escriban(?: mas)?|dejenme en paz|quitenme de la lista|darme de baja)\b",
        r"^(?:ya )?no mas(?: por favor)?$",
        r"\b(?:lose|forget|erase|remove|delete|drop|borr\w+|elimin\w+|quit\w+) (?:this|that|my|este|mi) "
        r"(?:number|phone|contact|numero|telefono)\b",
        r"^(?:please )?(?:not interested|no longer interested|go away|leave me be|(?:quit|stop) bothering me|enough already|"
        r"that'?s enough|buzz off|get lost|knock it off|cut it out|no more please)(?: now| please| thanks| thank you)?$",
        r"\b(?:dejen?|paren?) de (?:molestar|fastidiar|chingar)\w*|\bno (?:me )?(?:molesten?|fastidien)(?: mas)?\b",
        r"^(?:por favor )?(?:no me interesa|dejenme(?: tranquilo)?|ya dejenme|ya basta|olvidense de mi|"
        r"(?:ya )?no (?:escriban?|manden?)(?: mas)?)(?: por favor| gracias)?$",
    ),
    Safety.WRONG_NUMBER: (
        r"\bwrong (?:number|person|phone|guy|man)\b",
        r"\byou have the wrong\b",
        r"\b(?:this is not|this isn'?t|i am not|i'?m not) (?:his|her|their|the patient'?s?|that)(?: \w+)? ?"
        r"(?:number|phone|person|patient)\b",
        # The whole of what he says: "this is not my appointment time" and "isn't my visit on Thursday?" are his visit's.
        rf"\bnot my (?:appointment|visit|scan)(?:$|{_TURNS_AWAY})",
        rf"\b(?:this|that|it) isn'?t my (?:appointment|visit|scan)(?:$|{_TURNS_AWAY})",
        r"\bnever (?:had|made|booked) an? (?:appointment|visit|scan) (?:there|with you|at your)\b|"
        r"\bnever (?:had|made|booked) an? (?:appointment|visit)$",
        r"\b(?:numero (?:equivocado|errado|incorrecto)|persona equivocada)\b",
        r"^(?:(?:i )?(?:do not|don'?t|dont) know (?:him|her)|no such person|not (?:his|her) (?:phone|number)|wrong num|"
        r"no lo conozco|no la conozco|equivocado|se equivoco|se equivocaron)$",
        r"\b(?:no es (?:su|el|mi) numero|se equivoco de (?:numero|persona))\b",
    ),
    Safety.DIED: (
        r"\b(?:he|she|husband|father|dad|brother|patient|grandfather|grandpa)(?: \w+){0,2} "
        r"(?:has )?(?:died|passed away|passed on|is dead|is deceased|is gone now)\b",
        r"\b(?:he|she) is no longer (?:with us|alive)\b",
        r"\b(?:fallecio|murio|ha fallecido|ha muerto)\b",
    ),
    Safety.RESULTS: (
        r"\b(?:my|the|his) (?:results?|report|scan|suv\w*)(?: \w+){0,3} (?:says?|shows?|showed|said|reads?|mean|means)\b",
        r"\b(?:what|does|do|is|are)(?: \w+){0,4} my (?:results?|report|numbers?|suv\w*)(?: \w+){0,2} (?:mean|good|bad|ok)\b",
        r"\b(?:tell me|give me|send me|what (?:are|is|were|was)|read|got|explain)(?: \w+){0,2} (?:my|his|the) results?\b",
        r"\b(?:did|does|do|has|have)(?: \w+){0,3} (?:it|scan|cancer)(?: \w+){0,2} (?:spread|come back|grown)\b",
        r"\b(?:do i have|have i got|is it) (?:cancer|the cancer)\b",
        r"\b(?:my|an?) suv\w*(?: \w+){0,3} \d",
        r"\b(?:mis resultados|mi informe|mi resultado)\b",
    ),
}
_PATTERNS = {kind: re.compile("|".join(rules)) for kind, rules in _RULES.items()}

# Harmless phrases that would otherwise trip a rule; each was met as a near-miss.
_HARMLESS = re.compile(
    r"\bstop(?:ped|ping)? (?:drinking|eating|taking|smoking|my (?:\w+ )?(?:pills?|meds?|medicines?|medications?))\b|"
    r"\bcancel(?:ar)? (?:my|the|mi|la|el) (?:scan|visit|appointment|appt|cita|visita)\b|\bbus stop\b|"
    r"\bdying to (?:know|hear|see)\b"
)

# A death in his family, long ago or told for the sake of a question about himself: he is alive, and asks. News of a death
# says when it was, or speaks of the dead man's own visit, and is believed.
_RELATIVE = (
    r"(?:father|dad|brother|grandfather|grandpa|padre|papa|hermano|abuelo)(?: \w+){0,3} (?:\w+ )?"
    r"(?:died|passed away|passed on|is dead|fallecio|murio|ha fallecido|ha muerto)|"
    r"(?:fallecio|murio)(?: \w+){0,2} (?:padre|papa|hermano|abuelo)"
)
_FAMILY = re.compile(_RELATIVE)
_ABOUT_HIMSELF = re.compile(
    r"\b(?:years? ago|last year|long ago|long time|when i was|at age|at (?:the age of )?\d\d|in (?:19|20)\d\d|in his \d0'?s|"
    r"hereditary|genetic\w*|inherit\w*|runs? in|family|scared|afraid|worried|nervous|will i|am i|should i|do i|can i|could i|"
    r"is it|does (?:it|that|this)|is (?:that|this)|my (?:own )?(?:risk|chances|odds|scan|visit|appointment)|"
    r"hace (?:muchos |\d+ |unos )?anos|el ano pasado|cuando yo era|hereditari\w*|genetic\w*|hereda\w*|familia|tengo miedo|"
    r"me da miedo|me preocupa|yo tambien|me va a|voy a|debo|puedo|es normal|mi riesgo|mi cita|mi estudio)\b"
)
_NEWS = re.compile(
    r"\b(?:today|yesterday|tonight|last (?:night|week|month)|"
    r"this (?:morning|week|month|weekend|afternoon)|days? ago|weeks? ago|"
    r"cancel\w*|his (?:\w+ )?(?:scan|visit|appointment|appt|texts?|phone|doctor)|him off|remove him|stop|no longer|"
    r"su (?:\w+ )?(?:cita|estudio|telefono)|dejen|"
    r"on (?:mon|tues|wednes|thurs|fri|satur|sun)day|just (?:died|passed)|hoy|ayer|anoche|esta (?:manana|semana|noche)|"
    r"la semana pasada|hace (?:\w+ )?(?:dias|semanas)|el (?:lunes|martes|miercoles|jueves|viernes|sabado|domingo))\b"
)

# Of a few words a detector knows too little: what it takes for a wish to be left alone holds only beside one of these,
# however spelled, so that "I don't know" and "no sé" silence nobody.
_FEW = 3
_OF_LEAVING = re.compile(
    r"\b(?:s?t[aeo]?[bp]+|sto?h?a?p+\w*|sotp|stp|st0p|estop\w*|estpo|unsu\w*|desu\w*|dessu\w*|opt|desactiv\w*|disconti\w*|baja|"
    r"par[ae]n?(?:le)?|det[ei]n\w*|basta|cease|quit\w*|borr\w+|elimin\w+|delet\w*|remov\w*|block\w*|bloqu\w*|saqu\w+|"
    r"te?xt\w*|ms?gs?|mess\w*|mens\w*|spam\w*|har+as\w*|acos\w*|molest\w*|bug+\w*|bother\w*|annoy\w*|insist\w*|"
    r"dejen\w*|dej[ae]me|alone|shut|hush|alerts?|avisos?|notif\w*|subscri\w*|suscri\w*|turn|"
    r"off|out|enough|lists?|lista|mute\w*|silenc\w*|call[ae]\w*|jod\w*|fregu?\w*|ching\w*|lata|hart\w*|suficiente|fuera|apag\w*|"
    r"lose|forget|olvid\w*|leave|scram|pipe down|get lost|go away|send\w*|mand\w*|escrib\w*|envi\w*|unenrol\w*|"
    r"w?rong\w*|worng|wrng|e[qk][uv]?i[vb]\w*|num\w*|nro)\b"
)


def too_few_to_leave(text: str) -> bool:
    """Whether a text is so short, and so free of the words of leaving, that only a rule may stop texting him for it."""
    words = plain(text)
    return len(words.split()) <= _FEW and not _OF_LEAVING.search(words)


def _of_his_family(words: str) -> bool:
    """Whether a death that is spoken of is one in his family, and the text is about himself."""
    return bool(_FAMILY.search(words) and _ABOUT_HIMSELF.search(words) and not _NEWS.search(words))


def safety(text: str) -> frozenset[Safety]:
    """Every safety route that `text` takes; several may hold at once."""
    words = plain(text)
    found = {kind for kind, pattern in _PATTERNS.items() if pattern.search(words)}
    first = plain(re.split(r"[.,;:!?\n]", text.strip(), maxsplit=1)[0])
    if words in STOP_WORDS or first in _STOP_FIRST:
        found.add(Safety.OPT_OUT)
    elif Safety.OPT_OUT in found and not _PATTERNS[Safety.OPT_OUT].search(_HARMLESS.sub(" ", words)):
        found.discard(Safety.OPT_OUT)
    if Safety.CRISIS in found and not _PATTERNS[Safety.CRISIS].search(_HARMLESS.sub(" ", words)):
        found.discard(Safety.CRISIS)
    if Safety.DIED in found and _of_his_family(words):
        found.discard(Safety.DIED)
    return frozenset(found)
