"""Whether he says that he comes, that he does not, or leaves it open: a reviewed rule before the trained heads.

To count on a man is a deed, so that a guess will not do. Where the whole text is a plain yes, a plain no or a plain "I do
not know yet", that is what it means, and no detector looks for more in it. Where it only holds a word of doubt, the heads
may still answer a question in it, but may not book him. What could as well be said by a man who is giving up ("I won't be
here", "I'm not going to make it", anything with "anymore") is none of it, and goes the way of every other text.
"""

import re

from flows.features import clean
from flows.words import plain

CONFIRM, RESCHEDULE, UNKNOWN = "confirm", "reschedule", "unknown"


def _any(*patterns: str) -> str:
    return f"(?:{'|'.join(patterns)})"


# The rules see a text as the router does: short forms written out ("I'm", "won't", "tmrw"), accents folded.
_DAY = _any(
    "mon(?:day)?", "tues?(?:day)?", "wed(?:nesday)?", "thur?s?(?:day)?", "fri(?:day)?", "sat(?:urday)?", "sun(?:day)?",
    "today", "tomorrow", "tonight",
)  # fmt: skip
_DIA = "(?:lunes|martes|miercoles|jueves|viernes|sabado|domingo)"
_VISIT = "(?:appointment|visit|scan|test|exam|it|that|this)"
_CITA = "(?:cita|visita|estudio|examen|escaneo|prueba|scan)"
_SORRY = "(?:sorry|i am sorry|please|thanks|thank you|lo siento|disculpen?|perdone?n?|gracias|por favor)"
_FIRST = _any(
    _SORRY,
    "hi|hello|hey|oh|well|so|but|no|nope|nah|just|unfortunately|actually|i am afraid",
    "hola|pues|mire|fijese que|que|buen[oa]s (?:dias|tardes)|buenas",
)
_LAST = _any(
    _SORRY,
    "then|there|after all|this time|that day|that one|this week|next week|in|over",
    rf"(?:on |this |next |for |until )?{_DAY}(?: morning| afternoon)?",
    r"on the \d+(?:st|nd|rd|th)?",
    r"at \d+(?: \d\d)?(?: ?[ap]m)?",
    rf"(?:to|for)(?: my| the| this| that| his)? {_VISIT}",
    rf"my {_VISIT}",
    "hoy|manana|ese dia|esta vez|esta semana",
    rf"(?:este |el |para el )?{_DIA}",
    rf"a (?:la|mi|esa|su) {_CITA}",
    rf"al? (?:ese )?{_CITA}",
)
_BEFORE, _AFTER = f"(?:{_FIRST} )*", f"(?: {_LAST})*"
_KIN = "(?:husband|dad|father|grandpa|patient|brother|wife)"
_FAMILIAR = "(?:esposo|papa|padre|marido|abuelo|hermano)"
_WHO = (
    rf"(?:{_any('i|we|he|she|they|dad|pops?|grandpa', f'(?:my|the) {_KIN}', f'yo|nosotros|el|ella|mi {_FAMILIAR}')} )?"
)
_COME = "(?:come|go|attend|show up|be there|make it|be (?:coming|going|attending|showing up|making it))"
_COMES = "(?:coming|going|attending|showing up)"
_IR = "(?:ir|asistir|llegar|presentarme|venir)"
_NO = _any(
    rf"(?:(?:am|are|is|was|we're|they're|ain'?t) )?(?:definitely |really )?(?:not|no longer) {_COMES}",
    r"(?:(?:am|are|is) )?not going to (?:come|go|attend|show up|be there)",
    rf"(?:ain'?t|aren'?t) {_COMES}",
    rf"(?:will not|can not|could not|couldn'?t|will no longer) (?:be able to )?{_COME}",
    rf"(?:(?:am|are|is) )?(?:not able|unable|not planning) to {_COME}",
    rf"(?:(?:do|does) not|doesn'?t) (?:plan to {_COME}|plan on {_COMES})",
    rf"(?:ya )?no (?:voy|vamos|va|van)(?: a (?:poder )?(?:{_IR}|estar (?:ahi|alli|alla)))?",
    rf"(?:ya )?no (?:puedo|podemos|puede|podre|podremos|podra) {_IR}",
    r"(?:ya )?no (?:estare|estaremos|estara) (?:ahi|alli|alla|presentes?)",
    r"(?:ya )?no (?:ire|iremos|ira|asistire|asistiremos|asistira|me presento|me presentare)",
)
_ABOUT_IT = r"(?: (?:about it|it over|first|on that|my \w+|with my \w+|later|soon|tomorrow))*"
_OPEN = _any(
    r"(?:i |we )?(?:really )?do not know",
    r"(?:i )?dunno",
    r"(?:i have )?(?:no (?:idea|clue)|not a clue)",
    r"who knows|hard to say|beats me|(?:i )?can not say|too (?:early|soon) to (?:say|tell)",
    r"(?:i am |we are )?(?:not (?:really )?(?:sure|certain)|unsure|undecided)",
    r"maybe(?: not| so)?|perhaps|possibly|probably(?: not)?|hopefully|not yet|if i can|50 ?50",
    rf"(?:i |we |he )?(?:might|may)(?: not)?(?: {_COME})?",
    r"(?:i |we |he )?doubt(?: it| that)?|doubtful",
    r"(?:it |that )?(?:all )?depends(?: on (?:my|the) \w+)?",
    rf"(?:i |we |he )?will (?:try|see)(?: to {_COME}| and see| what i can do| how i feel| my best)?|we'll see",
    rf"(?:i am )?(?:trying|hoping)(?: to {_COME})?",
    rf"let me (?:check|see|think|ask|look|get back to you){_ABOUT_IT}",
    rf"(?:i |we )?will (?:let you know|get back to you|check|think about it|call you){_ABOUT_IT}",
    rf"(?:i |we )?(?:have|need|want) to (?:think|check|ask){_ABOUT_IT}",
    r"(?:i am )?(?:still )?thinking about it|ask me (?:later|tomorrow)",
    r"i (?:think|guess|hope|suppose|believe)(?: so| not)?",
    rf"(?:i do not know|(?:i am )?not sure|i doubt)(?: yet)?(?: if| whether| that)? (?:i|we|he|dad) "
    rf"(?:can|will|could|might|am able to) {_COME}",
    r"(?:i do not know|(?:i am )?not sure)(?: yet)?(?: if| whether)? (?:i am|we are|he is) (?:coming|going)",
    r"(?:yo )?(?:todavia |aun )?no (?:lo )?se|no (?:sabria|sabemos)(?: decirle)?|quien sabe",
    r"(?:no tengo|ni) (?:ni )?idea|no (?:me acuerdo|recuerdo)",
    r"tal ?vez|quizas?|a lo mejor|puede ser|puede que(?: (?:si|no|vaya))?|depende|(?:lo )?dudo",
    r"(?:ya )?ver(?:e|emos)|(?:vamos )?a ver|ojala|posiblemente|probablemente",
    r"dej[ea]me (?:ver|checar|revisar|pensar(?:lo)?|preguntar)",
    r"(?:yo )?(?:le|les|te) aviso(?: luego| despues| manana)?",
    r"(?:lo )?(?:voy a|tengo que|necesito) pensar(?:lo)?",
    r"(?:yo )?creo que (?:si|no)|yo creo|espero que si",
    rf"(?:intentare|tratare|voy a tratar|voy a intentar)(?: de)?(?: {_IR})?|hare lo (?:posible|que pueda)",
    r"(?:todavia |aun )?no (?:se|estoy segur[oa])(?: de)?(?: si (?:voy|vamos|va|ire|iremos|vaya|pueda|puedo|podre|podamos)"
    rf"(?: a)?(?: poder)?(?: {_IR})?)?",
)
_SOFTLY = _any(_SORRY, "yet|now|right now|really|honestly|maybe|about (?:it|that)", "todavia|aun|ahorita")
_CALM = _any(
    "not to worry|no (?:worries|problema?|se preocupen?)|not a problem|do not worry|no hay problema",
    "yes|yep|yeah|ok|okay|sure|of course|absolutely|si|claro|claro que si|por supuesto",
)
_YES = _any(
    r"of course|por supuesto|claro que (?:si|voy)",
    r"(?:i|we|he) (?:will|would) (?:be there|come|attend|make it)|(?:i|we|he) (?:am|are|is) (?:coming|attending)",
    r"(?:i )?(?:would not|wouldn'?t|will not|am not going to) miss it(?: for (?:the world|anything))?",
    r"(?:yo )?no (?:voy a (?:faltar|fallar)|vamos a (?:faltar|fallar)|faltare|faltaremos|fallare|falto|fallo)",
    r"ahi (?:estare|estaremos)|(?:yo )?(?:si )?voy a ir",
)
_WHOLE = (
    (RESCHEDULE, re.compile(f"{_BEFORE}{_WHO}{_NO}{_AFTER}")),
    (UNKNOWN, re.compile(f"{_BEFORE}{_OPEN}(?: {_SOFTLY})*")),
    (CONFIRM, re.compile(f"(?:{_CALM} )*{_YES}(?: {_CALM})*{_AFTER}")),
)
_NO_AT_ALL = re.compile(rf"\b{_WHO}{_NO}\b")

# An hour alone says neither yes nor no; the question that is open may take it.
_NUMBER = _any(
    "one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|thirty",
    "una|dos|tres|cuatro|cinco|seis|siete|ocho|nueve|diez|once|doce|quince|treinta|media",
)
_HOUR = _any(
    r"\d{1,2}(?: ?h)?(?: ?[0-5]\d| y (?:media|cuarto))?",
    rf"{_NUMBER}(?: (?:y )?{_NUMBER}){{0,2}}",
    "noon|midday|medio ?dia",
)
_OF_DAY = _any(
    "[ap] ?m|o ?clock|o'clock|hrs?|hours?|horas?|sharp|en punto",
    "de la (?:manana|tarde|noche)|in the (?:morning|afternoon|evening)",
)
_CLOCK = re.compile(
    rf"(?:(?:ok|okay|at|around|about|by|it is|is it|a|la|las|es|son|como|eso de) )*{_HOUR}(?: ?{_OF_DAY})*"
)

# Said by one who comes all the same.
_CALMLY = re.compile(
    r"\b"
    + _any(
        _CALM,
        "no doubt|without (?:a )?doubt|sin duda|no question|why not|not at all|or not|no later than|no need|no changes?",
        r"no (?:hay|tengo) (?:\w+ )?(?:problema|cambios|falla|inconveniente)\w*",
        r"(?:not|\w+n'?t|never|no)(?: going to)? (?:be )?(?:miss\w*|late|forget|skip\w*|let \w+ down)",
        "(?:do not|doesn'?t) (?:change|give|rise|cancel|forget|let)",
        r"(?:could not|couldn'?t|can not|nothing)(?: \w+){0,3} (?:keep|stop)",
        r"no (?:me )?lo pierdo|no se (?:lo pierde|cambia|mueve)|(?:no|ni)(?: \w+){0,2} (?:falt|fall)\w+",
        "if (?:god|the (?:good )?lord)|see (?:you|ya|yall)|nos vemos",
    )
    + r"\b"
)
_DOUBT = re.compile(
    r"\b"
    + _any(
        r"not|no|never|nor|\w+n't|wouldnt|couldnt|arent|aint|unable|nope|nah|nunca|jamas|tampoco|imposible",
        r"doubt\w*|maybe|perhaps|possibly|probably|might|depend\w*|unsure|undecided|if|unless|try|trying|hope|hopefully",
        "think|thinking|guess|let (?:me|you)|will see|we'll see",
        r"tal ?vez|quizas?|a lo mejor|puede (?:ser|que)|dud\w+|creo|veremos|a ver|aviso|ojala|espero",
        r"pensar\w*|tratar\w*|intentar\w*|posible\w*|probable\w*",
    )
    + r"\b"
)
# A text without any of these is no yes, whatever it reminds the heads of: "tuesday", "the truck", "already".
_SHORT = 5  # words of a question that asks nothing beside
_ASSENT = re.compile(
    r"\b"
    + _any(
        r"yes\w*|ye[ps]+|yup|yeah|ys|y|aye|c|ok\w*|oki|sure|roger|copy|wilco|will do|10 4|ten four|you bet|bet|of course",
        r"confirm\w*|comfirm\w*|affirm\w*|afirm\w*|agree\w*|accept\w*|acept\w*|absolut\w*|definitely|certainly|perfect\w*",
        "be there|there|ther|come|comes|comin|coming|go|going|attend\\w*|show up|showing up|make it|miss it|present",
        r"good (?:to go|for)|all set|set|ready|works?|fine|great|sounds good|still on|still a go|locked|bells on|gassed up",
        r"see (?:you|ya|yall)|c you|count (?:me|us|on)|expect (?:me|us)|put (?:me|us|him) down|mark|keep\w*|(?:hold|save) my",
        r"no changes|no (?:hay )?problema?|as (?:planned|scheduled)|planning on it|calendar|(?:\w+'s|am|are|is|me|us) in",
        r"si+|sip|simon|sale|va|vale|dale|dele|orale|aja|claro|cierto|correct\w*|acuerdo|por supuesto|hecho|seguro|bien",
        r"presente|enterad\w*|entendido|recibido|sin falta|list[oa]s?|puesto|sigue en pie|nos vemos|dios|llueva",
        r"voy|vamos|van|llego|llegamos|llegar\w*|estare|estaremos|estamos|estoy|asist\w*|acud\w*|ire|iremos|caigo|caemos",
        r"cuent\w*|apunt\w*|anot\w*|apart\w*|lo pierdo|falt\w+|fallo|quedamos|tienen|llev\w+|pedi el dia|pedi permiso",
        "(?:lord|god) willing|have (?:him|me|us)|ride|driv(?:e|es|ing)|bring(?:s|ing)?|took the day|on my way",
        "bright and early",
    )
    + r"\b"
)

# Of a visit, most likely; but a man who is giving up says just these words: the line that helps goes before the answer.
_EITHER = re.compile(
    _BEFORE
    + _any(
        "(?:i )?(?:will not|might not|may not|am not going to|do not think i will) make it",
        "(?:i )?(?:will not be coming back|am not coming back|am not going anymore)",
        "(?:i )?am (?:done|finished|through)",
        "(?:yo )?ya no (?:puedo|vuelvo|regreso)|hasta aqui llegue",
    )
    + "(?: anymore)?"
)


def could_be_giving_up(text: str) -> bool:
    """Whether the whole text could as well be a cry for help as a word about the visit."""
    return _EITHER.fullmatch(clean(text)) is not None


def said(text: str) -> str:
    """What a text plainly says as a whole: confirm, reschedule, unknown; empty where it says something else."""
    words = clean(text)
    if _CLOCK.fullmatch(plain(text)):
        return UNKNOWN
    return next((topic for topic, pattern in _WHOLE if pattern.fullmatch(words)), "")


def says_no(text: str) -> bool:
    """Whether there is anywhere in a text that someone does not come."""
    return _NO_AT_ALL.search(_CALMLY.sub(" ", clean(text))) is not None


def in_doubt(text: str) -> bool:
    """Whether a text may not be taken for a yes.

    It has no word of assent, or holds a no or a doubt beside those that only reassure; or it is short and asks.
    """
    words = clean(text)
    if not _ASSENT.search(words) or ("?" in text and len(words.split()) <= _SHORT):
        return True
    return _DOUBT.search(_CALMLY.sub(" ", words)) is not None
