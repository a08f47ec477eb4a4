"""One message out of the house: by mail, or as a signed post. Knows no row; never called inside a transaction."""

from smtplib import SMTPException, SMTPResponseException

from django.core.mail import EmailMessage

from djkraph.signatures import HEADER, signature
from payments.alerts.posting import NotPosted, Post, in_words, post
from payments.gateway import Webhook


class NotDelivered(Exception):
    """It did not leave, or nobody said that it arrived. The words are for staff: no address and no secret in them."""


def send_mail(*, to: list[str], subject: str, body: str, message_id: str) -> None:
    """The same Message-ID each time: a mail that was sent twice is shown once by most who read it."""
    headers = {"Message-ID": f"<{message_id}@djkraph.alerts>", "Auto-Submitted": "auto-generated"}
    try:
        EmailMessage(subject=subject, body=body, to=to, headers=headers).send()
    except SMTPResponseException as refused:
        raise NotDelivered(f"The mail server answered {refused.smtp_code}.") from None
    except (SMTPException, OSError) as failed:
        raise NotDelivered(in_words(failed)) from None


def send_webhook(webhook: Webhook, *, body: str, message_id: str, at: int) -> None:
    """`at`: Unix seconds. Redirects are not followed: 3xx is a refusal like any other."""
    raw = body.encode()
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "DJKraph",
        "DJKraph-Message": message_id,
        HEADER: signature(raw, secret=webhook.secret, at=at),
    }
    try:
        status = post(Post(url=webhook.url, headers=headers, body=raw, anywhere=webhook.anywhere))
    except NotPosted as failed:
        raise NotDelivered(str(failed)) from None
    if not 200 <= status < 300:
        raise NotDelivered(f"It answered {status}.")
