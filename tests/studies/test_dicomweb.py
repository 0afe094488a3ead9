"""A DICOMweb service as the source of a study: Orthanc, and servers that answer wrongly."""

from __future__ import annotations

import gc
import json
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from tests.tiny_dicom import write_ct_series

from hounsfield.core.errors import RefusedInput, StudyError, UsageError
from hounsfield.core.uid import derive_uid
from hounsfield.studies import limits, read_studies, read_study
from hounsfield.studies.dicomweb import web_address

STUDY = derive_uid("test", "tiny", "study")
PLUGINS = Path("/usr/share/orthanc/plugins")


def multipart(paths, boundary=b"x-y", *, ends=True):
    parts = [
        b"--%s\r\nContent-Type: application/dicom\r\n\r\n%s\r\n" % (boundary, p.read_bytes()) for p in paths
    ]
    return b"".join(parts) + (b"--%s--\r\n" % boundary if ends else b"")


@pytest.fixture
def serve():
    """Serve `answer(path)` -> (status, content type, body) on loopback; gives the address of the service."""
    running, heard = [], []

    def start(answer):
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                heard.append(self.headers.get("Authorization"))
                status, kind, body = answer(self.path)
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                """Say nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        running.append((server, thread))
        return f"http://127.0.0.1:{server.server_address[1]}/dicom-web"

    start.heard = heard
    yield start
    for server, thread in running:
        server.shutdown()
        thread.join()
        server.server_close()


RELATED = 'multipart/related; type="application/dicom"; boundary="x-y"'


def test_study_is_read_as_from_files(tmp_path, serve):
    paths = write_ct_series(tmp_path, n=5)
    base = serve(lambda _path: (200, RELATED, multipart(paths)))
    [series] = read_study(f"{base}/studies/{STUDY}").series
    image = series.image()
    np.testing.assert_array_equal(image.array, read_study(tmp_path).series[0].image().array)
    assert series.files[0] == "000000.dcm"


def test_server_that_wants_to_know_who_asks_is_told(tmp_path, serve, monkeypatch):
    paths = write_ct_series(tmp_path, n=2)
    base = serve(
        lambda _path: (200, RELATED, multipart(paths)) if serve.heard[-1] else (401, "text/plain", b"")
    )
    with pytest.raises(StudyError, match=r"401 .* set HOUNSFIELD_DICOMWEB_AUTHORIZATION"):
        read_study(f"{base}/studies/{STUDY}")
    monkeypatch.setenv("HOUNSFIELD_DICOMWEB_AUTHORIZATION", "Bearer abc")
    assert len(read_study(f"{base}/studies/{STUDY}").series[0].files) == 2
    assert serve.heard == [None, "Bearer abc"]


@pytest.mark.parametrize(
    ("said", "address", "why"),
    [
        ("Bearer abc", "http://pacs.invalid/studies/1.2", "over http"),
        ("Bearer a\nX: y", "https://pacs.invalid/studies/1.2", "characters that no header can"),
    ],
)
def test_who_asks_is_not_told_in_clear_or_in_pieces(said, address, why, monkeypatch):
    monkeypatch.setenv("HOUNSFIELD_DICOMWEB_AUTHORIZATION", said)
    with pytest.raises(UsageError, match=why):
        read_studies(address)


def test_files_are_deleted_when_the_study_is(tmp_path, serve, monkeypatch):
    downloads = tmp_path / "downloads"
    downloads.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(downloads))
    paths = write_ct_series(tmp_path / "ct", n=2)
    base = serve(lambda _path: (200, RELATED, multipart(paths)))
    study = read_study(f"{base}/studies/{STUDY}")
    assert len(list(downloads.rglob("*.dcm"))) == 2
    assert study.series[0].image().array.shape == (2, 24, 32)
    del study
    gc.collect()
    assert list(downloads.iterdir()) == []


def test_query_finds_studies_and_each_is_fetched(tmp_path, serve):
    paths = {f"2.25.{n}": write_ct_series(tmp_path / str(n), n=2, name=str(n)) for n in (1, 2)}
    asked = []

    def answer(path):
        asked.append(path)
        if "?" in path:
            found = [{"0020000D": {"vr": "UI", "Value": [uid]}} for uid in paths]
            return 200, "application/dicom+json", json.dumps(found).encode()
        return 200, RELATED, multipart(paths[path.rpartition("/")[2]])

    base = serve(answer)
    assert len(read_studies(f"{base}/studies?PatientID=SYN-1").studies) == 2
    root = "/dicom-web/studies"
    assert asked == [f"{root}?PatientID=SYN-1", f"{root}/2.25.1", f"{root}/2.25.2"]


@pytest.mark.parametrize(
    ("status", "kind", "body", "said"),
    [
        (404, "text/plain", b"", "answers 404 Not Found"),
        (302, "text/plain", b"", "answers 302"),
        (200, "text/html", b"<html>", "does not answer with instances .* but with text/html"),
        (
            200,
            RELATED,
            b"--x-y\r\nContent-Type: application/dicom\r\n\r\nabc",
            "ended its answer before the last",
        ),
        (200, RELATED, b"", "ended its answer before the last"),
        (200, RELATED, b"--x-y\r\n" + b"a" * 100_000, "ended its answer before the last"),
    ],
)
def test_wrong_answers_are_named(serve, status, kind, body, said):
    base = serve(lambda _path: (status, kind, body))
    with pytest.raises(StudyError, match=said):
        read_studies(f"{base}/studies/1.2.3")


@pytest.mark.parametrize(
    "body", [b"<html>", b"{}", b'[{"0020000D": {}}]', b"[" * 100_000, b'[{"0020000D":{"Value":["../x"]}}]']
)
def test_query_without_a_list_of_studies_is_named(serve, body):
    base = serve(lambda _path: (200, "application/dicom+json", body))
    with pytest.raises(StudyError, match=r"something else than a list of studies|finds no study"):
        read_studies(f"{base}/studies")


def test_more_studies_than_the_limit_are_refused(serve):
    found = [{"0020000D": {"Value": [f"1.2.{n}"]}} for n in range(limits.MAX_DOWNLOADED_STUDIES + 1)]
    base = serve(lambda _path: (200, "application/dicom+json", json.dumps(found).encode()))
    with pytest.raises(RefusedInput, match="finds 51 studies, the limit is 50"):
        read_studies(base)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("MAX_DOWNLOAD_BYTES", 4000, "sends more than 4000 bytes"),
        ("MAX_DOWNLOADED_INSTANCES", 2, "sends more than 2 instances"),
        ("WHOLE_DOWNLOAD_S", -1.0, "takes longer than"),
    ],
)
def test_downloads_are_bounded(tmp_path, serve, monkeypatch, name, value, said):
    monkeypatch.setattr(limits, name, value)
    paths = write_ct_series(tmp_path, n=4)
    base = serve(lambda _path: (200, RELATED, multipart(paths)))
    with pytest.raises(RefusedInput, match=said):
        read_studies(f"{base}/studies/{STUDY}")


def test_server_that_is_not_there():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(StudyError, match=r"127\.0\.0\.1 cannot be read \(ConnectionRefusedError"):
        read_studies(f"http://127.0.0.1:{port}/dicom-web/studies/1.2.3")


def test_password_in_the_address_is_refused():
    with pytest.raises(UsageError, match="user name or password") as caught:
        read_studies("https://me:secret" + "@127.0.0.1/studies/1.2")
    assert "secret" not in str(caught.value)


def test_addresses_survive_as_paths():
    assert web_address(Path("https://host/studies/1")) == "https://host/studies/1"
    assert web_address("HTTP://host/studies") == "http://host/studies"
    assert web_address("folder/http:/x") is None
    assert web_address(Path("c:/data")) is None


@pytest.fixture
def orthanc(tmp_path, peer_program):
    """Orthanc with DICOMweb on loopback; gives its address."""
    program = peer_program("Orthanc")
    if not any(PLUGINS.glob("*DicomWeb*")):
        pytest.skip("the plugin orthanc-dicomweb is not installed")
    with socket.socket() as first, socket.socket() as second:
        first.bind(("127.0.0.1", 0))
        second.bind(("127.0.0.1", 0))
        http_port, dicom_port = first.getsockname()[1], second.getsockname()[1]
    settings = {
        "HttpPort": http_port,
        "DicomPort": dicom_port,
        "StorageDirectory": str(tmp_path / "orthanc"),
        "IndexDirectory": str(tmp_path / "orthanc"),
        "Plugins": [str(path) for path in PLUGINS.glob("*DicomWeb*")],
        "DicomWeb": {"Enable": True},
        "AuthenticationEnabled": False,
        "RemoteAccessAllowed": False,
    }
    (tmp_path / "orthanc.json").write_text(json.dumps(settings), encoding="utf-8")
    process = subprocess.Popen(
        [program, str(tmp_path / "orthanc.json")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    address = f"http://127.0.0.1:{http_port}"
    try:
        for _ in range(100):
            try:
                urllib.request.urlopen(f"{address}/system", timeout=2).close()
                break
            except (urllib.error.URLError, ConnectionError):
                assert process.poll() is None, "Orthanc ended"
                time.sleep(0.2)
        yield address
    finally:
        process.terminate()
        process.wait(20)


@pytest.mark.peer
def test_orthanc_gives_the_study_that_was_sent(tmp_path, orthanc):
    for path in write_ct_series(tmp_path / "ct", n=6):
        request = urllib.request.Request(f"{orthanc}/instances", data=path.read_bytes(), method="POST")
        urllib.request.urlopen(request, timeout=10).close()
    truth = read_study(tmp_path / "ct").series[0].image()
    for address in (f"studies/{STUDY}", "studies?PatientID=SYN-1"):
        [series] = read_study(f"{orthanc}/dicom-web/{address}").series
        image = series.image()
        np.testing.assert_array_equal(image.array, truth.array)
        np.testing.assert_allclose(image.grid.affine, truth.grid.affine)
        assert image.source == truth.source
