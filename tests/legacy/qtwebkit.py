"""Loads a page in QtWebKit, and lets it be driven: each line of stdin is a script that the page runs, each line that the page writes to its console goes
to stdout. It ends with stdin."""
import os
import sys

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PyQt5.QtCore import QSocketNotifier, QUrl
from PyQt5.QtWebKitWidgets import QWebPage
from PyQt5.QtWidgets import QApplication


class Page(QWebPage):
    def javaScriptConsoleMessage(self, message, line, source):
        print(message, flush=True)


def run_scripts():
    global unfinished
    came = os.read(0, 65536)
    if came == b"":
        application.quit()
    *scripts, unfinished = (unfinished + came).split(b"\n")
    for script in scripts:
        page.mainFrame().evaluateJavaScript(script.decode())


unfinished = b""
application = QApplication(sys.argv)
page = Page()
notifier = QSocketNotifier(0, QSocketNotifier.Read)
notifier.activated.connect(run_scripts)
page.mainFrame().load(QUrl(sys.argv[1]))
application.exec_()
