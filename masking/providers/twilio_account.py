"""What Twilio needs of the settings and of the environment. Pure."""


def lacking(*, public: str, used: bool, account: str, token: str) -> str:
    """What is missing, in one sentence that says what to do; "" where nothing is. `public`: our address as Twilio
    reaches it. `used`: whether a setting gives Twilio something to do. `account`, `token`: of the environment."""
    if not public:
        return "masking.twilio_public_url is empty: set the address at which Twilio reaches us" if used else ""
    if not (account.startswith("AC") and token):
        return "Twilio's account is not in the environment: set TWILIO_ACCOUNT_SID (AC...) and TWILIO_AUTH_TOKEN"
    return ""
