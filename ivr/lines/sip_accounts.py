"""What the library is told about our identities: the one that all calls come to, and one for each trunk. Runs on the
SIP thread."""

from typing import Any

import pjsua2 as pj

from ivr.lines.sip_settings import SipSettings, SipTrunk

_SRTP_USE = {
    "off": pj.PJMEDIA_SRTP_DISABLED,
    "offer": pj.PJMEDIA_SRTP_OPTIONAL,
    "require": pj.PJMEDIA_SRTP_MANDATORY,
}
_CIPHERS = ("AEAD_AES_256_GCM", "AES_256_CM_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_80")
"""RFC 7714, RFC 6188, RFC 4568: the last is the one that every phone has. Few, because each is a line in the offer."""
_LEAST_SESSION_S = 90


def own_account(endpoint: Any, settings: SipSettings, port: int) -> Any:
    """The identity that belongs to no trunk; it has no secret that a caller could ask for."""
    config = _account(endpoint, settings)
    config.idUri = f'"{settings.display}" <sip:{settings.account}@{shown_host(settings, port)}>'
    return config


def trunk_account(endpoint: Any, settings: SipSettings, trunk: SipTrunk) -> Any:
    """An identity that registers."""
    config = _account(endpoint, settings)
    config.idUri = f'"{settings.display}" <sip:{trunk.user}@{host_of(trunk.registrar)}>'
    config.regConfig.registrarUri = trunk.registrar
    config.regConfig.timeoutSec = trunk.expires_s
    config.regConfig.retryIntervalSec = config.regConfig.firstRetryIntervalSec = 30
    config.regConfig.dropCallsOnFail = False
    config.sipConfig.contactForced = f"<{trunk.contact}>" if trunk.contact else ""
    config.sipConfig.authCreds.append(pj.AuthCredInfo("digest", trunk.realm, trunk.user, 0, trunk.password))
    return config


def shown_host(settings: SipSettings, port: int) -> str:
    """The host part of our From."""
    return public_address(settings) or f"{settings.bind}:{port}"


def public_address(settings: SipSettings) -> str:
    """The address to show, where one is named: not the one that stands for all of this machine's."""
    return "" if settings.public_address == "0.0.0.0" else settings.public_address


def host_of(address: str) -> str:
    """Host and port of a SIP address, in small letters."""
    return address.split(":", 1)[-1].rpartition("@")[2].split(";", 1)[0].lower()


def _account(endpoint: Any, settings: SipSettings) -> Any:
    config = pj.AccountConfig()
    if settings.proxy:
        config.sipConfig.proxies.append(f"<{settings.proxy};lr>")
    media, call = config.mediaConfig, config.callConfig
    rtp = media.transportConfig
    rtp.boundAddress = settings.media_bind or settings.bind
    rtp.publicAddress = public_address(settings)
    rtp.port, rtp.portRange = settings.rtp_ports[0], settings.rtp_ports[1] - settings.rtp_ports[0]
    rtp.randomizePort = True
    media.srtpUse = _SRTP_USE[settings.srtp]
    # A hop to the edge is loopback; whether the way to the phone is secret is the edge's matter.
    media.srtpSecureSignaling = 0 if settings.open_keys else 1
    media.srtpOpt.keyings.append(pj.PJMEDIA_SRTP_KEYING_SDES)
    known = set(endpoint.srtpCryptoEnum())
    for name in _CIPHERS:
        if name in known:
            cipher = pj.SrtpCrypto()
            cipher.name = name
            media.srtpOpt.cryptos.append(cipher)
    if settings.session_seconds:
        call.timerUse = pj.PJSUA_SIP_TIMER_OPTIONAL
        call.timerSessExpiresSec = max(_LEAST_SESSION_S, settings.session_seconds)
        call.timerMinSESec = _LEAST_SESSION_S
    else:
        call.timerUse = pj.PJSUA_SIP_TIMER_INACTIVE
    return config
