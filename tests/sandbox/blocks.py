"""The text objects of Block Kit."""


def plain(text="x"):
    return {"type": "plain_text", "text": text}


def mrkdwn(text="x"):
    return {"type": "mrkdwn", "text": text}
