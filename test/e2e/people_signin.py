"""People sign in over HTTPS: the first set-up from the printed code, passwords
with one-time codes, sessions that are listed and ended, guessing slowed down."""
import html
import re
import sys
import threading
import time

from harness import Server, bail, done, ok, until
from people_lib import PASSWORD, Browser, enrol, setup_code, totp, without_store


def check_setup(s):
    code = setup_code(s)
    ok(code is not None, "the first start prints one address with a one-time code", s.log()[:2000])
    ok(s.log().count("/setup?code=") == 1, "once")
    b = Browser(s)
    page = b.call("GET", f"/setup?code={code}", Accept_Language="ja")
    ok(page.status == 200 and "初期設定" in page.text() and '<form method="post"' in page.text(), "the page needs no script", page)
    ok(re.findall("<script[^>]*>", page.text()) == re.findall('<script type="module" src="/assets/auth-[0-9a-f]+[.]js">', page.text()),
       "the one it has adds passkeys, and comes from here", page.text())
    ok("require-trusted-types-for 'script'" in page.headers["Content-Security-Policy"], "and has the strict policy")
    ok(b.call("GET", "/setup?code=" + "A" * 32).status == 404, "a wrong code is refused")
    secret = re.search(r'class="key">([A-Z2-7 ]+)<', page.text())[1].replace(" ", "")
    fields = {"code": code, "login": "Hanako", "name": "山田 花子", "language": "ja", "password": "password1234", "totp": "000000"}
    bad = b.form("/setup", fields, Accept_Language="en")
    ok(bad.status == 400 and bad.text().count("<li>") == 3, "every fault is named: login, password, code", bad)
    ok("password1234" not in bad.text(), "a password is not sent back")
    fields.update(login="hanako", password=PASSWORD, totp=totp(secret))
    other = b.form("/setup", fields, Sec_Fetch_Site="cross-site")
    ok(other.status == 403 and not b.cookies, "a form of another site sets nothing up", other)
    b.secret = secret
    fields["totp"] = b.code()
    made = b.form("/setup", fields)
    codes = re.findall(r"\b[0-9a-z]{4}-[0-9a-z]{4}-[0-9a-z]{4}-[0-9a-z]{4}\b", made.text())
    ok(made.status == 201 and len(set(codes)) == 10, "ten recovery codes are shown", made)
    ok(list(b.cookies) == ["__Host-yagura"], "and the first administrator is signed in", b.cookies)
    ok(b.form("/setup", fields).status == 404, "the code works once")
    ok(s.http("POST", "/api/v1/setup-code").status == 409, "with an administrator there are no further codes")
    me = b.call("GET", "/api/v1/session").json()
    ok(me["person"]["login"] == "hanako" and me["session"]["method"] == "enrolment" and
       me["permissions"]["people:write"] == {"all": True}, "the session says who and what", me)
    log = s.http("GET", "/api/v1/audit-log?limit=200").body.decode()
    ok("person.add" in log and code not in log and secret not in log and PASSWORD not in log,
       "it is in the audit log, without secrets")
    return b, codes


def check_password(s, first, codes):
    def sign_in(b, **over):
        body = {"login": "hanako", "password": PASSWORD, **over}
        return b.call("POST", "/api/v1/session", body)
    b = Browser(s)
    b.secret, b.used = first.secret, first.used
    ok(b.call("GET", "/api/v1/session").status == 401, "nobody is nobody")
    wrong = [sign_in(b), sign_in(b, password="x" * 12, totp=b.code()), sign_in(b, login="nobody", totp="123456"),
             sign_in(b, totp="000000"), sign_in(b, recovery_code="aaaa-bbbb-cccc-dddd")]
    details = {(w.status, w.json()["detail"], w.json()["type"]) for w in wrong}
    ok(details == {(401, "the login, the password or the code is wrong", "/doc/problems#unauthenticated")},
       "every way to be wrong gives the same answer", details)
    good = b.code()
    got = sign_in(b, totp=good)
    ok(got.status == 201 and got.json()["session"]["method"] == "password" and "__Host-yagura" in b.cookies,
       "password and code sign in", got)
    again = Browser(s)
    ok(sign_in(again, totp=good).status == 401, "a code works once")
    got = sign_in(again, recovery_code=codes[0].upper().replace("-", " "))
    ok(got.status == 201 and got.json()["session"]["method"] == "recovery", "a recovery code stands in for it", got)
    other = Browser(s)
    ok(sign_in(other, recovery_code=codes[0]).status == 401, "once")
    page = other.form("/signin", {"login": "hanako", "password": PASSWORD, "code": codes[1], "next": "/alerts?x=1"})
    ok(page.status == 303 and page.headers["Location"] == "/alerts?x=1" and other.cookies, "the page signs in too", page)
    for next_ in ("//evil.example/", "https://evil.example/", "/\\evil.example", "/a\tb", ""):
        form = Browser(s).call("GET", "/signin?next=" + next_.replace("\\", "%5C").replace("\t", "%20"))
        ok('name="next" value="/"' in form.text(), f"it does not lead away: {next_!r}")
    return b, again, other


def check_sessions(s, first, b, again, other):
    ok(b.call("POST", "/api/v1/session/step-up", {"password": "wrong wrong wrong", "totp": "111111"}).status == 403,
       "a step-up needs the proof")
    ok(b.call("GET", "/api/v1/session").json()["session"]["step_up_until"], "a fresh session is stepped up")
    for name, headers in (("from another site", {"Sec_Fetch_Site": "cross-site"}),
                          ("from another subdomain", {"Sec_Fetch_Site": "same-site"}),
                          ("that does not say where from", {"Sec_Fetch_Site": None, "Origin": None}),
                          ("with another origin", {"Sec_Fetch_Site": None, "Origin": "https://evil.example"})):
        got = b.call("DELETE", "/api/v1/session", **headers)
        ok(got.status == 403 and got.json()["type"] == "/doc/problems#cross-site", f"a change {name} is refused", got)
    ok(b.call("GET", "/api/v1/organisations", Sec_Fetch_Site=None, Origin=None).status == 200, "reading needs no origin")
    ok(b.call("DELETE", "/api/v1/session", Sec_Fetch_Site=None).status == 204, "an origin alone is enough")
    ok(not b.cookies, "signing out takes the cookie")
    b.cookies = dict(again.cookies)
    stolen = dict(again.cookies)
    ok(again.call("DELETE", "/api/v1/session").status == 204, "sign out")
    b.cookies = stolen
    ok(b.call("GET", "/api/v1/session").status == 401, "its cookie is worth nothing afterwards")
    b.cookies = {}
    # a stream ends with its session
    ended = {}

    def listen():
        c = other.connection(timeout=20)
        c.request("GET", "/api/v1/stream", headers=other.headers({}))
        r = c.getresponse()
        ended["status"] = r.status
        try:
            while r.read(1):
                pass
        except Exception as e:  # an end without the last chunk is an end
            ended["how"] = repr(e)
        ended["at"] = time.monotonic()
    t = threading.Thread(target=listen)
    t.start()
    until(lambda: "status" in ended, 10)
    time.sleep(0.5)
    ok(ended.get("status") == 200 and "at" not in ended, "a live stream is open", ended)
    keep = dict(other.cookies)
    began = time.monotonic()
    other.call("DELETE", "/api/v1/session")
    t.join(10)
    ok("at" in ended and ended["at"] - began < 2, "it ends within two seconds of its session", ended)
    other.cookies = keep
    ok(other.call("GET", "/api/v1/stream").status == 401, "and cannot be opened again")


BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


def check_languages(s):
    """Pages and faults in the language that was asked for or chosen."""
    b = Browser(s)
    page = b.call("GET", "/signin?next=%2Falerts%3Fx%3D1", Accept_Language="ja")
    link = re.search(r'<a href="([^"]*)" hreflang="en"', page.text())
    ok(link and html.unescape(link[1]) == "/signin?next=%2Falerts%3Fx%3D1&lang=en" and page.headers["Content-Language"] == "ja" and
       "Accept-Language" in page.headers["Vary"] and "Cookie" in page.headers["Vary"], "a page leads to its other language", page)
    page = b.call("GET", html.unescape(link[1]), Accept_Language="ja")
    ok('<html lang="en">' in page.text() and 'value="/alerts?x=1"' in page.text() and b.cookies == {"__Host-yagura-lang": "en"},
       "which is remembered", (page, b.cookies))
    for path, text in (("/signin", "Password"), ("/setup?code=x", "no longer valid"), ("/status", "Parts of the system"),
                       ("/doc/problems", "Sign-in is needed"), ("/signin?why=ended", "Your session has ended")):
        page = b.call("GET", path, Accept_Language="ja")
        ok('<html lang="en">' in page.text() and text in page.text() and not re.search("[\u3040-\u30ff\u4e00-\u9fff]", page.text().replace("日本語", "").replace("言語", "")),
           f"{path} is in English then", page)
        ok("/setup" not in path or 'href="/signin"' in page.text(), f"{path}: from there to sign-in", page)
        page = b.call("GET", path + ("&" if "?" in path else "?") + "lang=ja")
        ok('<html lang="ja">' in page.text() and page.headers["Content-Language"] == "ja", f"{path} in Japanese", page)
        b.cookies = {"__Host-yagura-lang": "en"}
    wrong = Browser(s, "127.0.0.9").form("/signin", {"login": "x", "password": "y", "code": "1", "next": "/a"}, Accept_Language="ja")
    ok(wrong.status == 401 and "いずれかが違います" in wrong.text() and "next=%2Fa&amp;lang=en" in wrong.text(), "a refused form too", wrong)
    lost = b.call("GET", "/no/such/page", Accept=BROWSER)
    ok(lost.status == 404 and lost.headers["Content-Type"].startswith("text/html") and "There is no such page" in lost.text() and
       "Content-Security-Policy" in lost.headers, "an unknown address is a page that can be read", lost)
    lost = Browser(s).call("GET", "/no/such/page", Accept=BROWSER, Accept_Language="ja")
    ok("ページが見つかりません" in lost.text() and 'lang="ja"' in lost.text(), "in both languages", lost)
    ok('href="//evil' not in Browser(s).call("GET", "//evil.example/x", Accept=BROWSER).text(), "whose links lead nowhere else")
    for path, accept in (("/no/such/page", "*/*"), ("/no/such/page", None), ("/api/v1/nothing", BROWSER)):
        got = b.call("GET", path, Accept=accept)
        ok(got.status == 404 and got.headers["Content-Type"] == "application/problem+json", f"{path} for {accept}: a problem document", got)
    said = {}
    for language in ("ja", "en"):
        got = Browser(s).call("GET", "/api/v1/session", Accept_Language=language)
        bad = Browser(s).call("POST", "/api/v1/session", {"login": "", "x": 1}, Accept_Language=language)
        said[language] = (got.json(), bad.json())
        ok(got.headers["Content-Language"] == language and "Accept-Language" in got.headers["Vary"], f"a fault says its language: {language}", got)
    for ja, en in zip(*said.values()):
        ok(ja["type"] == en["type"] and [e["code"] for e in ja.get("errors", [])] == [e["code"] for e in en.get("errors", [])] and
           ja["detail"].isascii() is False and en["detail"].isascii() and all(not e["message"].isascii() for e in ja.get("errors", [])),
           "the text changes, the kind does not", (ja, en))


def check_throttle(s, first):
    b, calm = Browser(s, "127.0.0.2"), Browser(s, "127.0.0.3")
    answers = [b.call("POST", "/api/v1/session", {"login": "hanako", "password": f"guess number {i}"}) for i in range(8)]
    slowed = [a for a in answers if a.status == 429]
    ok(slowed and all(int(a.headers["Retry-After"]) > 0 for a in slowed), "guessing is slowed down", [a.status for a in answers])
    rate = [tuple(int(a.headers[f"RateLimit-{x}"]) for x in ("Limit", "Remaining")) for a in answers]
    ok(rate[:5] == [(5, n) for n in (4, 3, 2, 1, 0)] and rate[5:] == [(5, 0)] * 3 and all(a.headers["RateLimit-Reset"] == a.headers["Retry-After"] for a in slowed),
       "and how many tries are left is said", rate)
    nobody = [b.call("POST", "/api/v1/session", {"login": "nobody-at-all", "password": f"guess number {i}"}) for i in range(8)]
    ok([a.status for a in nobody] == [a.status for a in answers], "the same for a login that does not exist",
       [a.status for a in nobody])
    calm.secret, calm.used = first.secret, first.used
    got = calm.call("POST", "/api/v1/session", {"login": "hanako", "password": PASSWORD, "totp": calm.code()})
    ok(got.status == 201, "who comes from elsewhere is not kept out", got)
    took = {}
    for login in ("hanako", "nobody-at-all"):
        times = []
        for i in range(5):
            x = Browser(s, f"127.0.1.{i + 10}")
            began = time.monotonic()
            x.call("POST", "/api/v1/session", {"login": login, "password": "another wrong guess", "totp": "123456"})
            times.append(time.monotonic() - began)
        took[login] = sorted(times)[2]
    a, c = took.values()
    ok(max(a, c) < 2.5 * min(a, c) + 0.05, "known and unknown logins take the same time", took)


with Server(sys.argv[1], without_store()) as server:
    first_, codes_ = check_setup(server)
    if not codes_:
        bail("no recovery codes")
    check_sessions(server, first_, *check_password(server, first_, codes_))
    check_languages(server)
    check_throttle(server, first_)
    report = server.http("GET", "/api/v1/audit-log/verify").json()
    ok(report.get("ok"), "the audit log is whole", report)
done()
