"""Text in every encoding, with decimal commas, and two-row headers."""

from __future__ import annotations

from pathlib import Path

import pytest

from fxloom.sources.text import decoded, sampled
from tests.sources.formats.market import PRICES, TIMES, assert_taken, ohlc
from tests.sources.vendor_files import accepted

VOLUME = [1000.0 + i for i in range(30)]


def quoted(*fields: str) -> str:
    return ",".join(f'"{field}"' for field in fields)


@pytest.mark.parametrize("decimals", ["commas", "points"])
def test_commas_inside_quotes(decimals: str, tmp_path: Path) -> None:
    """As spreadsheets write numbers: "1,10005" and "1.000" in Brazil, "1.10005" and "1,000" in America."""
    rows = [quoted("Data", "Abertura", "Máxima", "Mínima", "Fechamento", "Vol.")]
    for t, p, volume in zip(TIMES, PRICES, VOLUME, strict=True):
        prices = ohlc(p, ";").replace(".", "," if decimals == "commas" else ".").split(";")
        thousands = f"{volume:,.1f}" if decimals == "points" else f"{volume:,.1f}".replace(",", " ").replace(".", ",")
        rows.append(quoted(f"{t:%d/%m/%Y %H:%M}", *prices, thousands.replace(" ", ".")))
    (tmp_path / "EURUSD.csv").write_text("\n".join(rows))
    assert_taken(accepted(tmp_path / "EURUSD.csv", zone="utc"), format="named columns", volume=VOLUME)


@pytest.mark.parametrize(
    ("encoding", "header"),
    [
        ("cp1252", "Date;Eröffnung;Hoch;Tief;Schluß"),
        ("cp1251", "Дата;Открытие;Максимум;Минимум;Закрытие"),
        ("cp932", "日付;始値;高値;安値;終値"),
        ("gb18030", "日期;开盘;最高;最低;收盘"),
    ],
)
def test_column_names_identify_the_code_page(encoding: str, header: str) -> None:
    text = decoded(f"{header}\n2018-02-20 10:36;1;1;1;1\n".encode(encoding))
    assert sampled(text, ()).header == tuple(header.split(";"))


def test_two_columns_need_the_separator_in_every_line() -> None:
    assert sampled(decoded(b"ts_utc,bid\n2018-02-20 10:36:01,1.1\n"), ()).header == ("ts_utc", "bid")
