"""Makes mail: varied, realistic and the same every time.

    for message in sample():            # a few hundred, in several folders, every kind there is
        message.folder, message.raw, message.flags, message.date, message.kind
    for message in bulk(100_000):       # many small ones, fast (about 100,000 a second)
    raw = one("html-only")              # a kind by name; see KINDS
    raw = big_attachment(text_bytes=2048, attachment_bytes=5 << 20)

Messages are written by hand, not by the email package: a good part of what a mail reader meets
could not be made by a library that knows the rules.  Lines end in CR LF; there is no NUL.
"""

import base64
import binascii
import datetime
import quopri
import random
import zlib

UTC = datetime.timezone.utc
START = datetime.datetime(2009, 3, 1, 8, 30, tzinfo=UTC)
NOW = datetime.datetime(2024, 11, 20, 17, 0, tzinfo=UTC)

PEOPLE = [
    ("Ada Example", "ada@example.org"), ("Bob Brown", "bob@example.com"),
    ("Zoë Čapek", "zoe.capek@example.cz"), ("山田 賢治", "kenji@example.jp"),
    ("Dag O'Brien, Jr.", "dag@example.ie"), ("Жанна Иванова", "zhanna@example.ru"),
    ("محمد علي", "mohammed@example.eg"), ("דנה לוי", "dana@example.co.il"),
    ("Jürgen Groß", "juergen.gross@example.de"), ("김민준", "minjun@example.kr"),
    ("王小明", "xiaoming@example.cn"), ("Νίκος Παππάς", "nikos@example.gr"),
    ("", "no-reply@build.example.net"), ('Smith "Smitty" John', "smitty@example.com"),
    ("Renée d'Été", "renee@example.fr"), ("Łukasz Żółć", "lukasz@example.pl"),
    ("Marketing Team 🎉", "news@shop.example"), ("İpek Şahin", "ipek@example.com.tr"),
]
ME = ("Ada Example", "ada@example.org")

WORDS = ("the report review server mailbox meeting budget release branch patch window kettle "
         "train garden letter invoice contract deadline proposal answer question idea table "
         "harbour lantern post gate river bridge morning evening winter coffee paper pencil "
         "we should could please thanks maybe tomorrow yesterday before after with without "
         "about again still nearly already not and or but because when where which it is was "
         "new old small large quick slow open closed left right first last another").split()

SUBJECTS = [
    "Quarterly report", "Lunch on Thursday?", "Build failed: main #{n}", "Invoice {n}",
    "[users] How to configure folders", "Minutes of the meeting", "Your order {n} has shipped",
    "Garden party 🌻🍰", "Grüße aus München", "Ответ на ваш вопрос", "会議の議事録",
    "회의 일정 변경", "שלום, מה שלומך", "مرحبا بالعالم", "Réunion de l'équipe à 14 h",
    "Zażółć gęślą jaźń", "👩‍💻 deploy finished 🇩🇪 👍🏽", "Cafe\u0301 and nai\u0308ve text",
    "Z̷̡a̸͜l̵̢g̷̛o", "Re: Re: Re: was: the kettle", "a very long subject that goes on and on " * 4,
    "ΑΒΓ δοκιμή", "ทดสอบภาษาไทย", "हिन्दी में संदेश", "測試郵件", "(no news)", "1 + 1 = 2 < 3",
]

LANGUAGES = [
    # charset, transfer encoding, text it can hold
    ("us-ascii", "7bit", "Plain words and nothing else.\nTwo lines of them."),
    ("iso-8859-1", "quoted-printable", "Ein Gruß aus Köln; déjà vu à l'été."),
    ("iso-8859-2", "quoted-printable", "Příliš žluťoučký kůň úpěl ďábelské ódy."),
    ("iso-8859-5", "base64", "Съешь ещё этих мягких французских булок."),
    ("iso-8859-7", "base64", "Ξεσκεπάζω την ψυχοφθόρα βδελυγμία."),
    ("iso-8859-8", "base64", "דג סקרן שט בים מאוכזב"),
    ("iso-8859-9", "quoted-printable", "Pijamalı hasta yağız şoföre çabucak güvendi."),
    ("iso-8859-15", "8bit", "Das kostet 5 €, à peu près."),
    ("windows-1250", "quoted-printable", "Zażółć gęślą jaźń."),
    ("windows-1251", "8bit", "Широкая электрификация южных губерний."),
    ("windows-1252", "quoted-printable", "“Smart quotes” – and a dash… for 10 €."),
    ("windows-1253", "base64", "Γαζέες και μυρτιές."),
    ("windows-1255", "base64", "עטלף אבק נס דרך מזגן"),
    ("windows-1256", "base64", "صِف خَلقَ خَودِ كَمِثلِ الشَمسِ"),
    ("windows-1257", "quoted-printable", "Glāžšķūņa rūķīši dzērumā čiepj."),
    ("koi8-r", "8bit", "Эх, чужак! Общий съём цен шляп (юфть)."),
    ("koi8-u", "base64", "Жебракують філософи при ґанку церкви."),
    ("gb2312", "base64", "简体中文邮件测试。\n第二行。"),
    ("gb18030", "8bit", "汉字与𠀀𠀁扩展。"),
    ("big5", "base64", "繁體中文郵件測試。"),
    ("shift_jis", "base64", "いろはにほへと ちりぬるを。"),
    ("iso-2022-jp", "7bit", "日本語のメールです。\n改行もあります。"),
    ("euc-jp", "8bit", "わかよたれそ つねならむ。"),
    ("euc-kr", "base64", "다람쥐 헌 쳇바퀴에 타고파."),
    ("utf-8", "8bit", "Mixed: naïve café, Ω, я, 漢字, 한글, עברית, العربية, 🙂👩‍👩‍👧‍👦."),
    ("utf-8", "base64", "Emoji 🐙🦑 and e\u0301 combining, \u200bzero width."),
    ("utf-8", "quoted-printable", "Trailing space \nand = signs == here, ﬁ ligature."),
    ("utf-16", "base64", "UTF-16 with a byte order mark: äöü."),
    ("utf-7", "7bit", "Hi Mom -\u263a-!"),
]


class Message:
    __slots__ = ("raw", "date", "flags", "folder", "kind")

    def __init__(self, raw, date, flags=(), folder="INBOX", kind="bulk"):
        self.raw, self.date, self.flags = raw, date, tuple(flags)
        self.folder, self.kind = folder, kind


def encoded_word(text, charset="utf-8", how="B"):
    """RFC 2047, cut so that each word stays below 75 octets and no character is split."""
    words, piece = [], ""
    for character in text:
        if len((piece + character).encode(charset)) > 42:
            words.append(piece)
            piece = ""
        piece += character
    words.append(piece)
    out = []
    for word in words:
        data = word.encode(charset)
        if how == "B":
            body = base64.b64encode(data).decode()
        else:
            body = "".join(chr(b) if chr(b).isalnum() and b < 128 else "=%02X" % b for b in data)
        out.append(f"=?{charset}?{how}?{body}?=")
    return "\r\n ".join(out)


def header_text(text, charset="utf-8", how="B"):
    return text if text.isascii() else encoded_word(text, charset, how)


def address(person):
    name, mailbox = person
    if not name:
        return mailbox
    if name.isascii():
        if any(c in name for c in '",.@<>()'):
            name = '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
        return f"{name} <{mailbox}>"
    return f"{encoded_word(name)} <{mailbox}>"


def encode_body(text, charset, encoding):
    """TEXT as the bytes of a body: CR LF, in CHARSET, transfer-encoded."""
    data = text.encode(charset)
    if encoding == "base64":
        return base64.encodebytes(text.replace("\n", "\r\n").encode(charset)).replace(b"\n", b"\r\n")
    if encoding == "quoted-printable":
        return quopri.encodestring(data).replace(b"\n", b"\r\n")
    return data.replace(b"\n", b"\r\n")


def part(kind, body, *headers):
    if isinstance(body, str):
        body = body.replace("\n", "\r\n").encode()
    head = "".join(f"{h}\r\n" for h in (f"Content-Type: {kind}", *headers))
    return head.encode("utf-8", "surrogateescape") + b"\r\n" + body


def multipart(subtype, parts, boundary, extra=""):
    """(header, body) of a multipart of PARTS, each as part() makes it."""
    mark = boundary.encode()
    body = b"".join(b"--" + mark + b"\r\n" + p + b"\r\n" for p in parts) + b"--" + mark + b"--\r\n"
    return f'Content-Type: multipart/{subtype}; boundary="{boundary}"{extra}', body


class Maker:
    """One message's worth of decisions, all from one random number generator."""

    def __init__(self, seed, date=None, subject=None, number=0):
        self.random = random.Random(seed)
        self.number = number
        self.date = date or START + datetime.timedelta(
            seconds=self.random.randrange(int((NOW - START).total_seconds())))
        self.sender = self.random.choice(PEOPLE)
        self.subject = subject if subject is not None else self.random.choice(SUBJECTS).format(
            n=self.random.randrange(10_000, 99_999))
        self.id = f"<{self.random.getrandbits(64):016x}.{number}@{self.sender[1].split('@')[1]}>"
        self.boundary = f"=_{self.random.getrandbits(80):020x}"

    def prose(self, words=120, width=72):
        lines, line = [], ""
        for n in range(words):
            word = self.random.choice(WORDS)
            if len(line) + len(word) > width:
                lines.append(line.rstrip())
                line = ""
            line += word + (".\n\n" if self.random.random() < 0.02 else " ")
            if line.endswith("\n"):
                lines.append(line.rstrip() + "\n")
                line = ""
        return "\n".join(lines + [line.rstrip()]) + "\n"

    def noise(self, size):
        return self.random.randbytes(size)

    def head(self, *extra, sender=None, to=None, subject=None, mime=True):
        zone = datetime.timezone(datetime.timedelta(hours=self.random.choice((-8, -5, 0, 1, 2, 9))))
        lines = [
            f"Return-Path: <{self.sender[1]}>",
            f"Received: from relay.example.net (relay.example.net [192.0.2.{self.number % 250}])",
            f"\tby mx.example.org with ESMTPS id {self.random.getrandbits(40):010X}",
            f"\tfor <ada@example.org>; {rfc_date(self.date)}",
            f"Date: {rfc_date(self.date.astimezone(zone))}",
            f"From: {sender or address(self.sender)}",
            f"To: {to or address(ME)}",
            f"Subject: {subject if subject is not None else header_text(self.subject)}",
            f"Message-ID: {self.id}",
        ]
        if mime:
            lines.append("MIME-Version: 1.0")
        lines += extra
        return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8", "surrogateescape")

    def attachment(self, kind, name, size, disposition="attachment"):
        body = base64.encodebytes(self.noise(size)).replace(b"\n", b"\r\n")
        return part(kind + (f'; name="{name}"' if name.isascii() else ""), body,
                    "Content-Transfer-Encoding: base64",
                    f"Content-Disposition: {disposition}; " + (
                        f'filename="{name}"' if name.isascii() else
                        "filename*=utf-8''" + "".join(f"%{b:02X}" for b in name.encode())))


def rfc_date(date):
    days = "Mon Tue Wed Thu Fri Sat Sun".split()
    months = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
    return (f"{days[date.weekday()]}, {date.day} {months[date.month - 1]} {date.year:04} "
            f"{date:%H:%M:%S %z}")


def imap_date(date):
    months = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
    return f"{date.day:2}-{months[date.month - 1]}-{date.year:04} {date:%H:%M:%S %z}"


# ---- the kinds ----------------------------------------------------------------------------------

def plain(m):
    return m.head("Content-Type: text/plain; charset=us-ascii") + part_body(m.prose())


def part_body(text):
    return text.replace("\n", "\r\n").encode()


def no_mime(m):
    return m.head(mime=False) + part_body(m.prose(60))


def flowed(m):
    paragraphs = []
    for _ in range(4):
        lines = m.prose(60, 66).replace("\n\n", "\n").rstrip("\n").split("\n")
        paragraphs.append(" \n".join(lines))
    quoted = "> " + paragraphs[1].replace("\n", "\n> ") + "\n>> deeper \n>> still\n"
    text = "\n\n".join((paragraphs[0], quoted, paragraphs[2], " From the start of a line\n-- \nAda"))
    return (m.head('Content-Type: text/plain; charset=utf-8; format=flowed; delsp=no')
            + part_body(text + "\n"))


def language(m, which=None):
    charset, encoding, text = LANGUAGES[m.number % len(LANGUAGES) if which is None else which]
    text = "\n".join([text, ""] * 6)
    words = text.split("\n")[0]
    if charset in ("utf-16", "utf-7"):
        subject = header_text(words)
    else:
        subject = words if words.isascii() else encoded_word(words[:40], charset,
                                                             m.random.choice("BQ"))
    return (m.head(f"Content-Type: text/plain; charset={charset}",
                   f"Content-Transfer-Encoding: {encoding}", subject=subject)
            + encode_body(text, charset, encoding))


HTML = """<!DOCTYPE html>
<html><head><title>{title}</title><style>p {{ color: red }}</style>
<script>alert("no")</script></head><body bgcolor="#ffffff">
<h1>{title}</h1><p>Dear <b>reader</b>, &amp; friends&nbsp;&mdash; &#8364;5 &lt;only&gt;.</p>
<table><tr><td>Cell one</td><td>Cell <i>two</i></td></tr></table>
<ul><li>first</li><li>second<ul><li>nested</li></ul></li></ul>
<blockquote>quoted words</blockquote><pre>  kept   as is</pre>
<img src="https://tracker.example/pixel.gif" width=1 height=1 alt="a picture">
<a href="https://example.org/read?more=1">read more</a>
<p>{prose}</p></body></html>
"""


def html_only(m):
    text = HTML.format(title="Newsletter", prose=m.prose(80))
    return (m.head("Content-Type: text/html; charset=utf-8",
                   "Content-Transfer-Encoding: quoted-printable")
            + encode_body(text, "utf-8", "quoted-printable"))


def alternative(m):
    text = m.prose(80)
    kind, body = multipart("alternative", [
        part("text/plain; charset=utf-8", text),
        part("text/html; charset=utf-8", HTML.format(title="The same", prose=text)),
    ], m.boundary)
    return m.head(kind) + b"This is a multi-part message in MIME format.\r\n" + body


def newsletter(m):
    kind, body = multipart("alternative", [
        part("text/plain; charset=utf-8", "Read this in your browser.\n"),
        multi_part("related", [
            part("text/html; charset=utf-8",
                 HTML.format(title="Offers 🎁", prose=m.prose(200) * 3),
                 "Content-Transfer-Encoding: 8bit"),
            m.attachment("image/png", "logo.png", 3000, "inline"),
        ], m.boundary + "r"),
    ], m.boundary)
    return m.head(kind, "List-Unsubscribe: <https://shop.example/u?i=1>, <mailto:u@shop.example>",
                  "List-Unsubscribe-Post: List-Unsubscribe=One-Click", "Precedence: bulk",
                  sender=address(PEOPLE[16])) + body


def multi_part(subtype, parts, boundary, *headers):
    kind, body = multipart(subtype, parts, boundary)
    return part(kind[len("Content-Type: "):], body, *headers)


def attachments(m):
    sizes = [0, 1, 700, 30_000, 120_000]
    names = ["photo.jpg", "Übersicht 2024.pdf", "../../etc/passwd", ".profile",
             "a name with spaces.tar.gz", "-rf", "報告書.xlsx", "x" * 200 + ".txt", "evil\\path.exe"]
    parts = [part("text/plain; charset=utf-8", m.prose(40))]
    for n in range(m.random.randrange(1, 4)):
        parts.append(m.attachment("application/octet-stream",
                                  names[(m.number + n) % len(names)], m.random.choice(sizes)))
    kind, body = multipart("mixed", parts, m.boundary)
    return m.head(kind) + body


def forwarded(m):
    inner = Maker(m.random.random(), number=m.number)
    deeper = Maker(m.random.random(), number=m.number)
    kind, body = multipart("mixed", [
        part("text/plain; charset=utf-8", "See below.\n"),
        part("message/rfc822", m_forward(inner, deeper), "Content-Disposition: inline"),
    ], m.boundary)
    return m.head(kind, subject="Fwd: " + header_text(inner.subject)) + body


def m_forward(inner, deeper):
    kind, body = multipart("mixed", [
        part("text/plain", inner.prose(20)),
        part("message/rfc822", alternative(deeper)),
    ], inner.boundary)
    return inner.head(kind) + body


def signed(m):
    signature = ("-----BEGIN PGP SIGNATURE-----\n\n"
                 + base64.encodebytes(m.noise(120)).decode() + "-----END PGP SIGNATURE-----\n")
    kind, body = multipart("signed", [
        part("text/plain; charset=utf-8", m.prose(40), "Content-Transfer-Encoding: 7bit"),
        part("application/pgp-signature; name=signature.asc", signature,
             "Content-Description: OpenPGP digital signature"),
    ], m.boundary, "; micalg=pgp-sha512;\r\n protocol=\"application/pgp-signature\"")
    return m.head(kind) + body


def calendar(m):
    event = ("BEGIN:VCALENDAR\nVERSION:2.0\nMETHOD:REQUEST\nBEGIN:VEVENT\n"
             f"UID:{m.random.getrandbits(64):x}@example.org\nDTSTAMP:20240101T000000Z\n"
             "DTSTART:20241201T090000Z\nDTEND:20241201T100000Z\nSUMMARY:Planning\n"
             "ORGANIZER:mailto:bob@example.com\nATTENDEE:mailto:ada@example.org\n"
             "END:VEVENT\nEND:VCALENDAR\n")
    kind, body = multipart("alternative", [
        part("text/plain; charset=utf-8", "You are invited.\n"),
        part("text/calendar; charset=utf-8; method=REQUEST", event),
    ], m.boundary)
    return m.head(kind, subject="Invitation: Planning") + body


def list_post(m):
    return (m.head("Content-Type: text/plain; charset=utf-8", "List-Id: Users <users.example.org>",
                   "List-Post: <mailto:users@example.org>", "Precedence: list",
                   "Reply-To: users@example.org", to="users@example.org",
                   subject=f"[users] {m.subject if m.subject.isascii() else 'Question'}")
            + part_body(m.prose(90)
                        + "_" * 47 + "\nusers mailing list\nusers@example.org\n"))


def report(m):
    kind, body = multipart("report", [
        part("text/plain; charset=us-ascii", "Your message could not be delivered.\n"),
        part("message/delivery-status", "Reporting-MTA: dns; mx.example.org\n\n"
             "Final-Recipient: rfc822; nobody@example.com\nAction: failed\nStatus: 5.1.1\n"),
        part("text/rfc822-headers", "From: ada@example.org\nSubject: Hello\n\n"),
    ], m.boundary, '; report-type="delivery-status"')
    return m.head(kind, "Auto-Submitted: auto-replied", "X-Failed-Recipients: nobody@example.com",
                  sender="Mail Delivery System <MAILER-DAEMON@mx.example.org>",
                  subject="Undelivered Mail Returned to Sender") + body


def many_recipients(m):
    people = ",\r\n ".join(address(p) for p in PEOPLE)
    return (m.head("Cc: undisclosed-recipients:;,\r\n Team: bob@example.com, zoe@example.cz;",
                   "Bcc: secret@example.org", to=people) + part_body(m.prose(30)))


def long_text(m):
    return m.head("Content-Type: text/plain; charset=utf-8") + part_body(
        "".join(m.prose(100) for _ in range(60)))


def long_line(m):
    return m.head("Content-Type: text/plain; charset=utf-8") + part_body(
        "word " * 4000 + "\n" + "x" * 3000 + "\n")


def patch(m):
    return m.head("Content-Type: text/plain; charset=utf-8", subject="[PATCH 1/3] house: a door") + (
        part_body("---\n a.c | 2 +-\n\ndiff --git a/a.c b/a.c\n--- a/a.c\n+++ b/a.c\n@@ -1 +1 @@\n"
                  "-\told\n+\tnew\n-- \n2.39.2\n"))


# Broken ones: each as some program really sends it.

def no_headers(m):
    return b"\r\n" + part_body(m.prose(20))


def empty(m):
    return b"Subject: \r\n\r\n"


def header_only(m):
    return m.head()[:-2]


def bad_charset(m):
    return m.head("Content-Type: text/plain; charset=x-klingon-7") + "qapla’ ñ\r\n".encode("latin-1", "replace")


def wrong_charset(m):
    return (m.head("Content-Type: text/plain; charset=us-ascii", "Content-Transfer-Encoding: 8bit")
            + "Grüße, 漢字\r\n".encode() + b"\xff\xfe\x80 raw\r\n")


def raw_headers(m):
    return m.head("Content-Type: text/plain", mime=False,
                  sender=b"J\xfcrgen <j@example.de>".decode("utf-8", "surrogateescape"),
                  subject=b"Gr\xfc\xdfe und \xe2\x82\xac".decode("utf-8", "surrogateescape")) + b"8 bit headers\r\n"


def no_boundary(m):
    return m.head("Content-Type: multipart/mixed") + b"--x\r\n\r\nno boundary was given\r\n--x--\r\n"


def wrong_boundary(m):
    kind, body = multipart("mixed", [part("text/plain", "found?\n")], m.boundary)
    return m.head(kind.replace("=_", "=+")) + body


def unclosed(m):
    kind, body = multipart("mixed", [part("text/plain", "cut short\n"),
                                     m.attachment("image/png", "cut.png", 900)], m.boundary)
    return m.head(kind) + body[:-200]


def bad_base64(m):
    return (m.head("Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: base64")
            + b"SGVsbG8h!!!! SGV\r\n=sbG8\xff\r\n")


def bad_date(m):
    raw = plain(m)
    start = raw.index(b"\r\nDate: ") + 8
    end = raw.index(b"\r\n", start)
    odd = [b"yesterday", b"Mon, 99 Foo 2024 25:61:61 +9999", b"1 Jan 70", b"", b"Thu Jan  1 1970"]
    return raw[:start] + odd[m.number % len(odd)] + raw[end:]


def bad_from(m):
    odd = ["<>", '"unclosed <a@b>', "@", "a@b@c", "=?utf-8?B?broken?= <x@y>", "",
           "(only a comment)", "=?utf-8?Q?spoof_=3Cboss=40example.org=3E?= <evil@example.com>"]
    return m.head("Content-Type: text/plain", sender=odd[m.number % len(odd)] or " ") + b"who?\r\n"


def escapes(m):
    return (m.head("Content-Type: text/plain; charset=utf-8",
                   subject=encoded_word("red \x1b[31m title \x1b]0;owned\x07 \u202etxt.exe\u202c"))
            + "\x1b[2Jclear \x1b]52;c;eA==\x07 \x9b31m c1 \u009b31m \u202eright to left\r\n"
              .encode("utf-8") + b"backspace\b\b\b bell\a\r\n")


def deep(m):
    body = part("text/plain", "at the bottom\n")
    for level in range(40):
        body = multi_part("mixed", [body], f"{m.boundary}.{level}")
    return m.head()[:-2] + body


def wide(m):
    kind, body = multipart("mixed", [part("text/plain", f"part {n}\n") for n in range(60)],
                           m.boundary)
    return m.head(kind) + body


def rfc2231(m):
    kind, body = multipart("mixed", [
        part("text/plain", "split names\n"),
        part("application/pdf", b"JVBERg==\r\n", "Content-Transfer-Encoding: base64",
             "Content-Disposition: attachment;\r\n filename*0*=utf-8''Jahres%C3%BC;\r\n"
             " filename*1*=bersicht%20;\r\n filename*2=\"2024.pdf\""),
        part('image/gif; name="=?utf-8?B?8J+Yii5naWY=?="', b"R0lGODlh\r\n",
             "Content-Transfer-Encoding: base64"),
    ], m.boundary)
    return m.head(kind) + body


def uuencoded(m):
    data = m.noise(200)
    lines = b"".join(binascii.b2a_uu(data[n:n + 45]) for n in range(0, len(data), 45))
    return m.head(mime=False) + b"begin 644 old.bin\r\n" + lines.replace(b"\n", b"\r\n") + b"`\r\nend\r\n"


def compressed(m):
    kind, body = multipart("mixed", [
        part("text/plain", "logs attached\n"),
        part("application/gzip; name=log.gz",
             base64.encodebytes(zlib.compress(m.prose(2000).encode())).replace(b"\n", b"\r\n"),
             "Content-Transfer-Encoding: base64"),
    ], m.boundary)
    return m.head(kind) + body


KINDS = {
    "plain": plain, "no-mime": no_mime, "flowed": flowed, "language": language,
    "html-only": html_only, "alternative": alternative, "newsletter": newsletter,
    "attachments": attachments, "forwarded": forwarded, "signed": signed, "calendar": calendar,
    "list-post": list_post, "report": report, "many-recipients": many_recipients,
    "long-text": long_text, "long-line": long_line, "patch": patch, "rfc2231": rfc2231,
    "compressed": compressed, "uuencoded": uuencoded,
}
BROKEN = {
    "no-headers": no_headers, "empty": empty, "header-only": header_only,
    "bad-charset": bad_charset, "wrong-charset": wrong_charset, "raw-headers": raw_headers,
    "no-boundary": no_boundary, "wrong-boundary": wrong_boundary, "unclosed": unclosed,
    "bad-base64": bad_base64, "bad-date": bad_date, "bad-from": bad_from, "escapes": escapes,
    "deep": deep, "wide": wide,
}
FOLDERS = ["INBOX", "Archive", "Archive/2023", "Archive/2024", "Lists", "Lists/users", "Sent",
           "Drafts", "Trash", "Junk", "Projekte", "Projekte/Grüße & Küsse", "日本語",
           "Почта", "Broken"]


def one(kind, seed=1, **keywords):
    function = KINDS.get(kind) or BROKEN[kind]
    return function(Maker(f"{kind}-{seed}", number=seed, **keywords))


def big_attachment(text_bytes=2048, attachment_bytes=5 << 20, name="film.bin", seed=1):
    """A short text beside a big attachment."""
    m = Maker(f"big-{seed}", number=seed, subject="A film")
    text = (m.prose(text_bytes // 4) * 2)[:text_bytes - 1] + "\n"
    block = m.noise(1 << 16)
    data = (block * (attachment_bytes // len(block) + 1))[:attachment_bytes]
    encoded = base64.encodebytes(data).replace(b"\n", b"\r\n")
    kind, body = multipart("mixed", [
        part("text/plain; charset=utf-8", text),
        part(f"application/octet-stream; name={name}", encoded,
             "Content-Transfer-Encoding: base64",
             f"Content-Disposition: attachment; filename={name}"),
    ], m.boundary)
    return m.head(kind) + body


def _flags(rng, folder, date):
    flags = []
    if folder == "Drafts":
        return ["\\Draft", "\\Seen"]
    if folder in ("Sent",) or rng.random() < 0.8 or (NOW - date).days > 400:
        flags.append("\\Seen")
        if rng.random() < 0.2:
            flags.append("\\Answered")
    if rng.random() < 0.05:
        flags.append("\\Flagged")
    if rng.random() < 0.01:
        flags.append("\\Deleted")
    if rng.random() < 0.05:
        flags.append("$Forwarded")
    if rng.random() < 0.06:
        flags.append(rng.choice(["work", "later", "$label1", "NonJunk"]))
    return flags


def _thread(rng, folder, length, number):
    """A conversation: replies to replies, over days, with References growing."""
    root = Maker(f"thread-{number}", number=number)
    subject = root.subject
    seen, messages = [], []
    date = root.date
    for n in range(length):
        m = Maker(f"thread-{number}-{n}", date=min(date, NOW), subject=subject, number=number)
        extra = ["Content-Type: text/plain; charset=utf-8"]
        text = m.prose(40)
        if seen:
            parent = rng.choice(seen[-6:])
            extra += [f"In-Reply-To: {parent[0]}", "References: " + "\r\n ".join(parent[1])]
            text = f"{parent[2]} wrote:\n> " + "words that were said\n> and more\n\n" + text
            head = "Re: " + header_text(subject)
            references = (parent[1] + [m.id])[-30:]
        else:
            head, references = header_text(subject), [m.id]
        seen.append((m.id, references, m.sender[0] or m.sender[1]))
        messages.append(Message(m.head(*extra, subject=head) + part_body(text), m.date,
                                _flags(rng, folder, m.date), folder, "thread"))
        date += datetime.timedelta(minutes=rng.randrange(2, 3000))
    return messages


def sample(seed=1, count=360):
    """About COUNT messages: every kind and every broken one, threads, several folders."""
    rng = random.Random(seed)
    messages = []
    number = 0

    def add(kind, folder, recent=False):
        nonlocal number
        number += 1
        date = None
        if recent:
            date = NOW - datetime.timedelta(minutes=rng.randrange(60 * 24 * 40))
        m = Maker(f"{seed}-{kind}-{number}", date=date, number=number)
        messages.append(Message((KINDS.get(kind) or BROKEN[kind])(m), m.date,
                                _flags(rng, folder, m.date), folder, kind))

    for which in range(len(LANGUAGES)):
        number = which - 1      # language() goes by number: each once
        add("language", "INBOX", True)
    number = 1000
    for kind in KINDS:
        add(kind, "INBOX", True)
        add(kind, rng.choice(FOLDERS[1:-1]))
    for kind in BROKEN:
        add(kind, "Broken")
        add(kind, "INBOX")
    for n, length in enumerate((2, 3, 5, 8, 13, 34)):
        messages += _thread(rng, "INBOX" if n % 2 else "Lists/users", length, n)
    raw = big_attachment()
    messages.append(Message(raw, NOW - datetime.timedelta(days=2), (), "INBOX", "big"))
    for name in FOLDERS:
        add("plain", name)
    while len(messages) < count:
        add(rng.choice(list(KINDS)), rng.choice(FOLDERS[:-1]), rng.random() < 0.5)
    messages.sort(key=lambda message: message.date)
    return messages


def bulk(count, seed=1, folder="INBOX"):
    """COUNT small messages, oldest first, made from a pool: what fills a big mailbox."""
    rng = random.Random(seed)
    bodies = []
    for n in range(64):
        m = Maker(f"body-{seed}-{n}", number=n)
        charset, encoding, text = LANGUAGES[n % len(LANGUAGES)]
        if n % 8 == 0:
            kind, body = multipart("alternative", [
                part("text/plain; charset=utf-8", m.prose(60)),
                part("text/html; charset=utf-8", f"<p>{m.prose(60)}</p>")], m.boundary)
        elif n % 8 == 1:
            kind, body = multipart("mixed", [
                part("text/plain; charset=utf-8", m.prose(60)),
                m.attachment("application/pdf", f"paper {n}.pdf", 600)], m.boundary)
        elif n % 8 == 2:
            kind = (f"Content-Type: text/plain; charset={charset}\r\n"
                    f"Content-Transfer-Encoding: {encoding}")
            body = encode_body(text + "\n", charset, encoding)
        else:
            kind, body = "Content-Type: text/plain; charset=utf-8", part_body(m.prose(100))
        bodies.append(kind.encode() + b"\r\nMIME-Version: 1.0\r\n\r\n" + body)
    senders = [address(p).encode() for p in PEOPLE]
    subjects = [header_text(s).encode() for s in SUBJECTS]
    me = address(ME).encode()
    step = (NOW - START) / max(count, 1)
    flag_sets = [("\\Seen",)] * 12 + [(), ("\\Seen", "\\Answered"), ("\\Flagged",),
                                      ("\\Seen", "work")]
    last_id = b""
    for n in range(count):
        date = START + step * n
        pick = rng.getrandbits(32)
        ident = b"<%08x.%d@bulk.example>" % (pick, n)
        reply = b""
        subject = subjects[pick % len(subjects)].replace(b"{n}", b"%d" % n)
        if pick & 3 == 0 and last_id:
            reply = b"In-Reply-To: " + last_id + b"\r\nReferences: " + last_id + b"\r\n"
            subject = b"Re: " + subject
        last_id = ident
        raw = b"".join((
            b"From: ", senders[(pick >> 8) % len(senders)], b"\r\nTo: ", me,
            b"\r\nSubject: ", subject, b"\r\nDate: ", rfc_date(date).encode(),
            b"\r\nMessage-ID: ", ident, b"\r\n", reply, bodies[(pick >> 16) % len(bodies)]))
        yield Message(raw, date, flag_sets[(pick >> 24) % len(flag_sets)], folder)
