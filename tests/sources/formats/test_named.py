"""Tables with a header: pandas' index, short names, and names in other languages."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.sources.formats.market import PRICES, START, TIMES, assert_taken, later, ohlc
from tests.sources.vendor_files import accepted, assert_bars, refused, write_rows

VOLUME = 100.0 + np.arange(30)


def pandas_frame() -> pd.DataFrame:
    columns = dict(zip(("Open", "High", "Low", "Close"), PRICES.T, strict=True)) | {"Volume": VOLUME}
    return pd.DataFrame(columns, index=pd.DatetimeIndex([t.replace(tzinfo=None) for t in TIMES]))


def test_pandas_csv_with_an_unnamed_index(tmp_path: Path) -> None:
    pandas_frame().to_csv(tmp_path / "EURUSD.csv")
    assert (tmp_path / "EURUSD.csv").read_text().startswith(",Open,High,Low,Close,Volume\n2018-02-20 10:36:00,")
    assert_taken(accepted(tmp_path / "EURUSD.csv", zone="utc"), format="named columns", volume=list(VOLUME))


def test_pandas_csv_whose_index_has_a_zone(tmp_path: Path) -> None:
    pandas_frame().tz_localize("UTC").tz_convert("Asia/Tokyo").to_csv(tmp_path / "EURUSD.csv")
    assert_taken(accepted(tmp_path / "EURUSD.csv"), format="named columns", hours=9.0, volume=list(VOLUME))


def test_pandas_parquet_with_an_unnamed_index(tmp_path: Path) -> None:
    pandas_frame().to_parquet(tmp_path / "EURUSD.parquet")
    assert_taken(accepted(tmp_path / "EURUSD.parquet", zone="utc"), format="parquet", volume=list(VOLUME))
    pandas_frame().tz_localize("UTC").to_parquet(tmp_path / "EURUSD_utc.parquet")
    assert_taken(accepted(tmp_path / "EURUSD_utc.parquet"), format="parquet", volume=list(VOLUME))


def test_an_unnamed_row_number_is_not_the_time(tmp_path: Path) -> None:
    rows = [f"{i},{t:%Y-%m-%d %H:%M},{ohlc(p)}" for i, (t, p) in enumerate(zip(TIMES, PRICES, strict=True))]
    path = write_rows(tmp_path / "EURUSD.csv", rows, header=",time,open,high,low,close")
    assert_taken(accepted(path, zone="utc"), format="named columns")
    refusal = refused(write_rows(tmp_path / "EURUSD 2.csv", rows, header=",x,open,high,low,close"), zone="utc")
    assert "unknown format" in refusal.reason


@pytest.mark.parametrize("header", ["t,o,h,l,c,v", "T,O,H,L,C,V", "timestamp,o,h,l,c,volume"])
def test_one_letter_column_names(header: str, tmp_path: Path) -> None:
    rows = [f"{int(t.timestamp())},{ohlc(p)},{v}" for t, p, v in zip(TIMES, PRICES, VOLUME, strict=True)]
    path = write_rows(tmp_path / "EURUSD.csv", rows, header=header)
    assert_taken(accepted(path, zone="utc"), format="named columns", volume=list(VOLUME))


def test_tickstory_dates_and_times_of_day_in_two_columns(tmp_path: Path) -> None:
    rows = [f"{t:%Y%m%d,%H:%M:%S},{ohlc(p)},{v}" for t, p, v in zip(TIMES, PRICES, VOLUME, strict=True)]
    path = write_rows(tmp_path / "EURUSD.csv", rows, header="Date,Timestamp,Open,High,Low,Close,Volume")
    assert_taken(accepted(path, zone="utc"), format="named columns", volume=list(VOLUME))


def test_tickstory_ticks_with_an_offset_of_two_digits(tmp_path: Path) -> None:
    rows = ["2018-02-20T12:36:01+02,1.1,1.1002,1.5,0.75", "2018-02-20T12:36:30+02,1.1001,1.1003,1,1"]
    header = "Timestamp,Bid price,Ask price,Bid volume,Ask volume"
    file = accepted(write_rows(tmp_path / "EURUSD.csv", rows, header=header))
    assert (file.kind, file.zone.hours) == ("ticks", (2.0,))
    np.testing.assert_array_equal(file.bars.ts, [int(START.timestamp()) // 60])
    np.testing.assert_allclose(file.bars.close, [1.1002], rtol=1e-14)


def test_bids_alone_are_bid_bars(tmp_path: Path) -> None:
    rows = ["2018-02-20 10:36:01,1.1", "2018-02-20 10:36:30,1.1003", "2018-02-20 10:37:00,1.1001"]
    file = accepted(write_rows(tmp_path / "EURUSD.csv", rows, header="ts_utc,bid"))
    assert (file.kind, file.price_side, file.has_quotes) == ("ticks, bid", "bid", False)
    assert_bars(file.bars, TIMES[:2], np.array([[1.1, 1.1003, 1.1, 1.1003], [1.1001] * 4]))
    assert file.bars.volume is not None
    np.testing.assert_array_equal(file.bars.volume, [2.0, 1.0])
    refusal = refused(write_rows(tmp_path / "EURUSD ask.csv", rows, header="ts_utc,ask"))
    assert "ask bars only" in refusal.reason


def test_a_volume_of_minus_one_means_no_volume(tmp_path: Path) -> None:
    rows = [f"{t:%Y-%m-%d %H:%M},{ohlc(p)},-1" for t, p in zip(TIMES, PRICES, strict=True)]
    path = write_rows(tmp_path / "EURUSD.csv", rows, header="ts_utc,open,high,low,close,volume")
    assert_taken(accepted(path), format="named columns", volume=None)


# Headers as investing.com, Excel, Finam, JForex and GMO write them in these languages.
LANGUAGES = {
    "german": ("Datum;Uhrzeit;Eröffnung;Hoch;Tief;Schluss;Volumen", ["utf-8", "utf-16", "cp1252"]),
    "german short": ("Datum;Zeit;Eröffn.;Höchst;Tiefst;Schlußkurs;Vol.", ["cp1252"]),
    "spanish": ("Fecha;Hora;Apertura;Máximo;Mínimo;Cierre;Volumen", ["utf-8", "cp1252"]),
    "portuguese": ("Data;Hora;Abertura;Máxima;Mínima;Fechamento;Volume", ["utf-8-sig", "cp1252"]),
    "russian": ("Дата;Время;Открытие;Максимум;Минимум;Закрытие;Объём", ["utf-8", "cp1251", "koi8_r", "utf-16"]),
    "russian short": ("Дата;Время;Откр.;Макс.;Мин.;Закр.;Объем", ["cp1251"]),
    "japanese": ("日付;時刻;始値;高値;安値;終値;出来高", ["utf-8", "shift_jis", "utf-16"]),
    "french": ("Date;Heure;Ouverture;Plus haut;Plus bas;Clôture;Volume", ["cp1252"]),
    "italian": ("Data;Ora;Apertura;Massimo;Minimo;Chiusura;Volume", ["utf-8"]),
    "chinese": ("日期;时间;开盘;最高;最低;收盘;成交量", ["utf-8", "gb18030"]),
}


@pytest.mark.parametrize(("language", "encoding"), [(n, e) for n, (_, es) in LANGUAGES.items() for e in es])
def test_headers_in_other_languages(language: str, encoding: str, tmp_path: Path) -> None:
    rows = [
        f"{t:%d.%m.%Y;%H:%M};{ohlc(p, ';').replace('.', ',')};1.{i:03d},5"
        for i, (t, p) in enumerate(zip(later(1), PRICES, strict=True))
    ]
    (tmp_path / "EURUSD.csv").write_bytes("\r\n".join([LANGUAGES[language][0], *rows]).encode(encoding))
    # In a file with decimal commas, a point groups thousands: 1.029,5 is 1029.5.
    volume = list(1000.5 + np.arange(30))
    assert_taken(accepted(tmp_path / "EURUSD.csv", zone="+1"), format="named columns", hours=1.0, volume=volume)


def test_gmo_click_bid_and_ask_bars_in_shift_jis(tmp_path: Path) -> None:
    header = "日時,始値(BID),高値(BID),安値(BID),終値(BID),始値(ASK),高値(ASK),安値(ASK),終値(ASK)"
    rows = [f"{t:%Y/%m/%d %H:%M:%S},{ohlc(p)},{ohlc(p + 0.0002)}" for t, p in zip(later(9), PRICES, strict=True)]
    (tmp_path / "EURUSD_20180220.csv").write_bytes("\r\n".join([header, *rows]).encode("cp932"))
    file = accepted(tmp_path / "EURUSD_20180220.csv", zone="Asia/Tokyo")
    assert (file.kind, file.price_side) == ("minute bars, bid and ask", "mid")
    np.testing.assert_allclose(file.bars.low, PRICES[:, 2] + 0.0001, rtol=1e-12)
    assert file.bars.spread is not None
    np.testing.assert_allclose(file.bars.spread, 0.0002, rtol=1e-9)


@pytest.mark.parametrize(
    ("header", "summer_hours"), [("Time (EET)", 3.0), ("Time (America/New_York)", -4.0), ("Time (Asia/Tokyo)", 9.0)]
)
def test_a_column_that_names_its_zone(header: str, summer_hours: float, tmp_path: Path) -> None:
    summer = [t.replace(month=7) for t in TIMES]
    rows = [f"{t:%Y.%m.%d %H:%M:%S},{ohlc(p)},7" for t, p in zip(later(summer_hours, summer), PRICES, strict=True)]
    file = accepted(write_rows(tmp_path / "EURUSD_1 Min_Bid.csv", rows, header=f"{header},Open,High,Low,Close,Volume "))
    assert (file.kind, file.zone.hours) == ("minute bars, bid", (summer_hours,))
    assert_bars(file.bars, summer, PRICES)


def test_dates_without_a_time_of_day_are_daily_bars(tmp_path: Path) -> None:
    rows = [f"2018-02-{day:02d},{ohlc(p)}" for day, p in zip(range(1, 28), PRICES, strict=False)]
    refusal = refused(write_rows(tmp_path / "EURUSD.csv", rows, header="Date,Open,High,Low,Close"), zone="utc")
    assert "daily bars: coarser than a minute" in refusal.reason
    rows = [f"{t:%H:%M},{ohlc(p)}" for t, p in zip(TIMES, PRICES, strict=True)]
    refusal = refused(write_rows(tmp_path / "EURUSD.csv", rows, header="Time,Open,High,Low,Close"), zone="utc")
    assert "no date" in refusal.reason
