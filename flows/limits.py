"""Every bound of a conversation and of sending, in one place, each with its reason."""

from datetime import time, timedelta

ATTEMPTS = 2  # failed answers to one question before a person is offered
REPLIES_PER_BURST = 12  # the carrier blocks a pair at about 15 replies in 30 s (its error 14107)
BURST = timedelta(minutes=2)  # a man who asks one thing after another is no machine
IDENTICAL_TEXTS = 4  # the same words again and again come from a machine
IDENTICAL_CRIES = 12  # a man in need repeats himself too, but not so often
LATELY = timedelta(minutes=10)  # in this time

HUSH = timedelta(minutes=15)  # no automated text while a person is mid-conversation
DAILY_CAP = 1  # automated texts a day, outside the day before and the day of the scan
WEEKLY_CAP = 3
WINDOW = (time(9), time(20))  # automated texts, in the patient's own zone
URGENT_WINDOW = (time(7), time(22))  # a move or cancellation that cannot wait for the window

REPLY_USEFUL = timedelta(minutes=15)  # an ordinary reply that did not arrive is stale after this
CONFIRM_STOP_WITHIN = timedelta(minutes=5)  # the one confirmation of an opt-out (47 CFR 64.1200(a)(12))
SURE_FOR = timedelta(days=1)  # of several visits, a question is about the one he chose or was texted about this lately
LATE_TEXT = timedelta(minutes=15)  # an inbound text older than this gets no automatic answer but safety
CATCH_UP = timedelta(minutes=3)  # how often each number's inbound texts are listed at the carrier
STILL_COMING = timedelta(minutes=1)  # a text younger than this may still be on its way to the webhook
SEEN_LATELY = 2 * CATCH_UP + STILL_COMING  # seen up to longer ago: we were away, and he may have texted STOP meanwhile
LOOK_TAKES = timedelta(seconds=3)  # a planned text that waits for such a look asks again after this
VAIN_LISTINGS = 4  # so many in a row that came to nothing, some ten minutes: from then on planned texts wait no longer
SILENT_NUMBERS = 3  # so many of which the carrier answered no listing, each for up to ten seconds: no other is tried
SILENT_FOR = timedelta(minutes=1)  # in this time, so that sending has its turn
TIDY = timedelta(hours=6)  # how often old words are removed
LOOK_BACK = timedelta(days=7)  # how far a number's first listing reaches
UNANSWERED = timedelta(seconds=60)  # a send or reply without any receipt is looked up after this
CLOCK_JITTER = timedelta(seconds=5)  # the clocks of our own workers against each other
CLOCK_SLACK = timedelta(minutes=5)  # the carrier's clock against ours, wherever moments of both are compared
STALE_CLAIM = timedelta(seconds=90)  # longer than any call may take: the worker that claimed the row is gone
LISTINGS = (timedelta(minutes=2), timedelta(minutes=10))  # twice absent at these ages: it was not accepted
RECEIPT_LISTINGS = (timedelta(minutes=15), timedelta(hours=2), timedelta(hours=11))  # no final receipt: looked up at
# these ages, of which the last is beyond the longest time for which the carrier tries
VALIDITY = (60, 36_000)  # seconds: under the first is too late to send, the second is the carrier's own maximum
CLOSING = timedelta(seconds=VALIDITY[0])  # with less left than this a text is refused, whether or not its turn has come
SEND_ATTEMPTS = 5
PACE_SAVED = timedelta(seconds=1)  # an idle sender may catch up this much; between two looks no more is ever due
PACE_REPLIES = timedelta(minutes=15)  # answers older than this have long been carried

SAFETY_REPEAT = timedelta(minutes=10)  # an unacknowledged urgent task is announced again
SAFETY_OFTEN = 6  # so many times; from then on hourly, so that the phone that must ring is not muted
SAFETY_REPEAT_LATER = timedelta(hours=1)
SAFETY_APART = timedelta(minutes=1)  # one raised again and again, as by a machine, is announced no more often than this
SAFETY_ESCALATE_AFTER = 3  # announcements to the first contact before the second one is told as well
