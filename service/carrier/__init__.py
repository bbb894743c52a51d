"""The outside party that carries texts: a small port, and Twilio behind it."""
