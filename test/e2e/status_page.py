"""The status page in a real browser: Japanese and English, no script error, no
blocked content, nothing of a tenant without sign-in.  Arguments: yagura.
Writes screenshots to $YAGURA_SCREENSHOTS when set."""
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import Server, done, need_store, ok, skip_all  # noqa: E402

need_store()
chromium = shutil.which("chromium")
if chromium is None:
    skip_all("no chromium: apt-get install chromium")
shots = os.environ.get("YAGURA_SCREENSHOTS")


def browse(url, language, *more):
    with tempfile.TemporaryDirectory() as profile:
        return subprocess.run(
            [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
             "--disable-component-update", "--disable-sync", "--ignore-certificate-errors", "--enable-logging=stderr", "--v=0",
             f"--user-data-dir={profile}", f"--accept-lang={language}", f"--lang={language}", "--window-size=1100,900", *more, url],
            capture_output=True, text=True, timeout=120, env={**os.environ, "LANGUAGE": language, "HOME": profile})


with Server(os.path.abspath(sys.argv[1])) as s:
    s.cli("org", "add", "secret-city", "--title", "秘密の市")
    url = f"https://127.0.0.1:{s.port}/status"
    for language, word in (("ja", "Yagura"), ("en", "Yagura")):
        page = browse(url, language, "--dump-dom")
        ok(page.returncode == 0 and word in page.stdout, f"{language}: the page opens", page.stderr[-2000:])
        ok(re.search(rf'<html[^>]*lang="{language}', page.stdout) is not None, f"{language}: in that language", page.stdout[:300])
        ok("secret-city" not in page.stdout and "秘密の市" not in page.stdout, f"{language}: no tenant's name without sign-in")
        blocked = [x for x in page.stderr.splitlines() if "CONSOLE" in x]
        ok(not blocked, f"{language}: nothing blocked, no error in the console", "\n".join(blocked))
        ok(not re.search(r'(src|href)="(https?:)?//', page.stdout), f"{language}: no third-party host")
        if shots:
            browse(url, language, f"--screenshot={os.path.join(shots, f'status-{language}.png')}")
done()
