"""A pretend carrier and a phone in the browser, so that every conversation can be seen and every failure rehearsed."""
