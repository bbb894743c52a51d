"""A text as the trained router sees it: cleaned words for the encoder, weighted letter and word n-grams beside them.

Cleaning writes out what a phone makes people shorten ("u", "appt", "xq") and names what no encoder knows: a drug, a
device, a tracer's brand or a portal is replaced by the plain noun it stands for. These are features, never decisions.
Training uses this very code, so that the model cannot see anything else than a patient's text gets.
"""

import math
import re
from collections import Counter
from collections.abc import Mapping

from flows.words import plain

LONGEST = 300  # characters that count: enough for any question, a bound for any text

# What people write short, in both languages; single words only.
_SHORT = {
    "u": "you", "ur": "your", "r": "are", "y": "y", "n": "and", "w": "with", "w/": "with", "b4": "before", "2day": "today",
    "2morrow": "tomorrow", "tmrw": "tomorrow", "tmr": "tomorrow", "tomorow": "tomorrow", "tommorow": "tomorrow",
    "appt": "appointment", "apt": "appointment", "appts": "appointment", "appmt": "appointment", "dr": "doctor",
    "doc": "doctor", "drs": "doctor", "docs": "doctor", "meds": "medicines", "med": "medicine", "rx": "medicine",
    "gonna": "going to", "wanna": "want to", "gotta": "have to", "lemme": "let me", "gimme": "give me", "pls": "please",
    "plz": "please", "thx": "thanks", "ty": "thank you", "idk": "i do not know", "cuz": "because", "bc": "because",
    "cant": "can not", "can't": "can not", "cannot": "can not", "wont": "will not", "won't": "will not",
    "dont": "do not", "don't": "do not", "doesnt": "does not", "doesn't": "does not", "didnt": "did not",
    "didn't": "did not", "isnt": "is not", "isn't": "is not", "im": "i am", "i'm": "i am", "ive": "i have",
    "i've": "i have", "ill": "i will", "i'll": "i will", "id": "i would", "i'd": "i would", "whats": "what is",
    "what's": "what is", "hows": "how is", "how's": "how is", "wheres": "where is", "where's": "where is",
    "whens": "when is", "when's": "when is", "thats": "that is", "that's": "that is", "hes": "he is", "he's": "he is",
    "shes": "she is", "she's": "she is", "its": "it is", "it's": "it is", "theres": "there is", "there's": "there is",
    "ppl": "people", "abt": "about", "w/o": "without", "hrs": "hours", "hr": "hour", "mins": "minutes",
    "msg": "message", "msgs": "messages", "txt": "text", "txts": "texts", "wk": "week", "yr": "year", "yrs": "years",
    "q": "que", "k": "que", "ke": "que", "xq": "porque", "pq": "porque", "porq": "porque", "xk": "porque", "x": "por",
    "tb": "tambien", "tmb": "tambien", "tmbn": "tambien", "d": "de", "dnd": "donde", "cdo": "cuando", "cuand": "cuando",
    "pa": "para", "toy": "estoy", "ta": "esta", "pal": "para el", "ay": "hay", "boy": "voy", "aser": "hacer",
    "ase": "hace", "asen": "hacen", "aria": "haria", "ablar": "hablar", "bamos": "vamos", "bien": "bien", "grax": "gracias",
    "tng": "tengo", "doctorcito": "doctor", "dra": "doctora",
}  # fmt: skip
# What no encoder knows, by the plain noun it stands for in each place. Reviewed like a rule; extended as unknowns are.
_NAMES = {
    "blood thinner medicine": "eliquis elequis eliquiz elliquis xarelto xeralto coumadin cumadin kumadin warfarin warfarina warfrin plavix "
    "plavics clopidogrel brilinta pradaxa apixaban rivaroxaban heparin heparina lovenox aspirin aspirina anticoagulante "
    "anticuagulante anticoagulantes",
    "diabetes medicine": "metformin metformina metforman metphormin metformine glucophage glipizide glipizida januvia jardiance farxiga ozempic "
    "ozempick trulicity mounjaro lantus insulin insulina insuline humalog novolog victoza glimepiride",
    "blood pressure medicine": "lisinopril lisinoprol lisenopril losartan amlodipine amlodipino norvasc metoprolol carvedilol atenolol hctz "
    "hydrochlorothiazide lasix furosemide furosemida valsartan enalapril",
    "medicine": "lipitor atorvastatin atorvastatina simvastatin crestor flomax flowmax tamsulosin tamsulosina finasteride proscar avodart "
    "synthroid levothyroxine omeprazole omeprazol prilosec nexium gabapentin gabapentina prednisone prednisona tylenol "
    "advil ibuprofen ibuprofeno aleve naproxen tramadol oxycodone percocet norco viagra cialis inhaler "
    "zoloft prozac lexapro cymbalta wellbutrin",
    "hormone therapy medicine": "lupron lupon leuprolide eligard firmagon degarelix orgovyx zoladex xtandi enzalutamide zytiga abiraterone "
    "erleada nubeqa casodex bicalutamide trelstar camcevi adt",
    "calming medicine": "xanax ativan valium lorazepam alprazolam diazepam zanax",
    "treatment aimed at psma": "pluvicto pluvecto plubicto pluvictos lutetium lutecio lutathera lu177 lu-177 radioligand radioligando "
    "theranostics theranostic teranostica",
    "tracer": "pylarify pilarify pylarifi pylarefy posluma illuccix iluccix locametz gozellix piflufolastat flotufolastat dcfpyl gallium "
    "galium galio ga68 ga-68 f18 f-18 fluor fluciclovine axumin trazador tracers",
    "online account": "mychart mychat portal followmyhealth athena",
    "pacemaker": "defibrillator desfibrilador marcapasos icd pacer pacemakers",
    "insurance": "medicare medicaid medicade tricare humana aetna cigna anthem obamacare medi-cal medical blueshield uhc bcbs kaiser "
    "copay copago deductible deducible",
}  # fmt: skip
_NAMED = {word: noun for noun, words in _NAMES.items() for word in words.split()}
_DIGITS = re.compile(r"\d+(?:[.,]\d+)*")
_LONG = re.compile(r"(.)\1{2,}")


def clean(text: str) -> str:
    """`text` for the encoder: lower case, plain words, shortened and unknown ones written out, bounded."""
    words = plain(_LONG.sub(r"\1\1", text[:LONGEST])).split()
    return " ".join(_NAMED.get(word) or _SHORT.get(word, word) for word in words)


def grams(cleaned: str) -> Counter[str]:
    """Letter n-grams of 2 to 5 within words (edges marked), and runs of 1 to 3 words; numbers are one and the same."""
    words = _DIGITS.sub("0", cleaned).split()
    found: list[str] = []
    for word in words:
        edged = f"<{word}>"
        for size in (2, 3, 4, 5):
            found += [edged[at : at + size] for at in range(len(edged) - size + 1)]
    marked = [f" {word}" for word in ("^", *words, "$")]
    for size in (1, 2, 3):
        found += ["".join(marked[at : at + size]) for at in range(len(marked) - size + 1)]
    return Counter(found)


def weighted(cleaned: str, weight: Mapping[str, tuple[int, float]]) -> list[tuple[int, float]]:
    """(column, value) of each known n-gram of a text, by sublinear count and the n-gram's own weight, unit length."""
    values = []
    for gram, count in grams(cleaned).items():
        known = weight.get(gram)
        if known is not None:
            values.append((known[0], known[1] if count == 1 else (1.0 + math.log(count)) * known[1]))
    length = math.sqrt(sum([value * value for _, value in values])) or 1.0
    return [(column, value / length) for column, value in values]


_BREAKS = re.compile(
    r"[.?!;\n]+|,\s+(?=and |but |y |pero )|\s(?:and also|also|and|plus|tambien|y tambien|y)\s", re.IGNORECASE
)
_SENTENCES = re.compile(r"[.?!;\n]+")


def parts_of(text: str) -> tuple[str, ...]:
    """The parts of a text that might each ask something: at most three, of at least three words, if there are several."""
    parts = [part.strip() for part in _BREAKS.split(text[:LONGEST]) if len(part.split()) >= 3]
    return tuple(parts[:3]) if len(parts) > 1 else ()


def sentences_of(text: str) -> tuple[str, ...]:
    """The last sentences of a text that has several: the question usually comes after the story."""
    parts = [part.strip() for part in _SENTENCES.split(text[:LONGEST]) if len(part.split()) >= 2]
    return tuple(parts[-3:]) if len(parts) > 1 else ()
