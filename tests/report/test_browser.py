"""The page in a real browser: something is drawn, nothing is fetched, nothing complains, nothing overflows a phone."""

import io
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import nn

from learnsym.report import card
from learnsym.report.run.analyze import write
from learnsym.report.run.results import Analysis
from tests.comparison import tables
from tests.scaling import scaling_tables

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)
PHONE, DESKTOP = 390, 1200


def _program(*names: str) -> str:
    found = next((path for name in names if (path := shutil.which(name))), None)
    return found or pytest.skip(f"needs {names[0]} (Debian: apt install chromium chromium-driver)")


@pytest.fixture
def browser(tmp_path: Path) -> Iterator:
    webdriver = pytest.importorskip("selenium.webdriver", reason="needs selenium (pip install learnsym[dev])")
    options = webdriver.ChromeOptions()
    options.binary_location = _program("chromium", "chromium-browser", "google-chrome")
    for flag in (*FLAGS, f"--user-data-dir={tmp_path / 'profile'}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(_program("chromedriver")))
    yield driver
    driver.quit()


def _report(analysis: Analysis) -> str:
    write(analysis, progress=False)
    return analysis.report.as_uri()


def _card(analysis: Analysis) -> str:
    net = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(64, 3))
    examples = card.Examples(name="noise", x=torch.rand(12, 1, 8, 8), y=torch.arange(12) % 3)
    subject = card.Subject(name="a network with a name that is long enough to need two lines", model=net)
    settings = card.CardSettings(samples=2, layer_examples=4)
    return card.measure_model(subject, examples, ["se2", "square2d"], analysis.path, settings).page.as_uri()


def _comparison(analysis: Analysis) -> str:
    pytest.importorskip("pyarrow")
    from learnsym.report.comparison import draw_comparison

    tables.table(sizes=(8, 16)).to_parquet(analysis.path / "table.parquet", index=False)
    (analysis.path / "comparison.yaml").write_text("arms: {plain: {}, exact: {}, learned: {}}\n")
    return draw_comparison(analysis.path).as_uri()


def _scaling(analysis: Analysis) -> str:
    pytest.importorskip("pyarrow")
    from learnsym.report.scaling import draw_scaling
    from learnsym.scaling import StudySettings

    draw_scaling(scaling_tables.write(analysis.path, scaling_tables.table()), StudySettings(replicates=40))
    return (analysis.path / "scaling.html").as_uri()


PAGES = {"report": (_report, 11), "card": (_card, 5), "comparison": (_comparison, 6), "scaling": (_scaling, 5)}


@pytest.fixture(params=PAGES.values(), ids=PAGES)
def page(request: pytest.FixtureRequest, analysis: Analysis) -> tuple[str, int]:
    """Address of a page, and how many figures it has at least."""
    make, figures = request.param
    return make(analysis), figures


def _open(browser, address: str, width: int) -> None:
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width == PHONE}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    browser.get(address)


def _requested(browser) -> list[str]:
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    return [one["params"]["request"]["url"] for one in messages if one["method"] == "Network.requestWillBeSent"]


def test_the_page_in_a_browser(browser, page: tuple[str, int]):
    from PIL import Image

    address, figures = page
    browser.get("about:blank")
    browser.get_log("performance")  # what the browser's own start page asked for
    _open(browser, address, DESKTOP)
    colours = Image.open(io.BytesIO(browser.get_screenshot_as_png())).convert("RGB").getcolors(1 << 24)
    assert colours is not None and len(colours) > 50
    broken = "return [...document.images].filter(image => !image.complete || !image.naturalWidth).length"
    assert browser.execute_script("return document.images.length") >= figures and browser.execute_script(broken) == 0
    assert [entry for entry in browser.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")] == []
    requested = _requested(browser)
    assert address in requested and all(url.startswith(("file:", "data:")) for url in requested)

    _open(browser, address, PHONE)
    assert browser.execute_script("return document.documentElement.scrollWidth") <= PHONE
