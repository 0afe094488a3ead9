"""A real archive takes every object of every application, by DIMSE and by DICOMweb, and gives it back equal."""

from __future__ import annotations

import json
import socket
import subprocess
import time
import uuid
from io import BytesIO
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, urlopen

import pydicom
import pytest

from hounsfield.core import applications

pytestmark = pytest.mark.peer
PLUGINS = (
    Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so"),
    Path("/usr/lib/orthanc/libOrthancDicomWeb.so"),
)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Archive:
    """Orthanc on two ports of this machine, with its store in a temporary folder."""

    def __init__(self, program, folder):
        self.dimse_port, self.http_port = free_port(), free_port()
        self.plugins = [str(path) for path in PLUGINS if path.exists()][:1]
        configuration = {
            "Name": "test",
            "StorageDirectory": str(folder / "store"),
            "IndexDirectory": str(folder / "store"),
            "HttpPort": self.http_port,
            "DicomPort": self.dimse_port,
            "DicomAet": "ARCHIVE",
            "RemoteAccessAllowed": False,
            "AuthenticationEnabled": False,
            "DicomAlwaysAllowStore": True,
            "Plugins": self.plugins,
            "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
        }
        path = folder / "orthanc.json"
        path.write_text(json.dumps(configuration))
        self.log = (folder / "log").open("wb")
        self.process = subprocess.Popen([program, str(path)], stdout=self.log, stderr=subprocess.STDOUT)

    def ask(self, path, *, data=None, method="GET", **headers):
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        request = Request(f"http://127.0.0.1:{self.http_port}{path}", data, names, method=method)
        with urlopen(request, timeout=30) as answer:
            return answer.read()

    def wait(self, *, timeout_s):
        end_s = time.monotonic() + timeout_s
        while time.monotonic() < end_s:
            try:
                return self.ask("/system")
            except URLError:
                time.sleep(0.1)
        pytest.fail(f"Orthanc does not answer after {timeout_s} s")

    def instances(self):
        """SOP Instance UID -> data set, as the archive gives them out."""
        names = json.loads(self.ask("/instances"))
        found = [pydicom.dcmread(BytesIO(self.ask(f"/instances/{name}/file"))) for name in names]
        return {str(ds.SOPInstanceUID): ds for ds in found}

    def clear(self):
        for name in json.loads(self.ask("/patients")):
            self.ask(f"/patients/{name}", method="DELETE")

    def close(self):
        self.process.terminate()
        self.process.wait(timeout=30)
        self.log.close()


@pytest.fixture(scope="module")
def archive(peer_program, tmp_path_factory):
    archive = Archive(peer_program("Orthanc"), tmp_path_factory.mktemp("orthanc"))
    try:
        archive.wait(timeout_s=60)
        yield archive
    finally:
        archive.close()


def send_by_dimse(archive, paths, peer_program):
    words = [peer_program("storescu"), "-R", "-aec", "ARCHIVE", "127.0.0.1", archive.dimse_port, *paths]
    done = subprocess.run([str(word) for word in words], capture_output=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr.decode("latin-1")


def send_by_stow(archive, paths, _peer_program):
    if not archive.plugins:
        pytest.skip("the DICOMweb plugin of Orthanc is not installed; Debian package orthanc-dicomweb")
    boundary = uuid.uuid4().hex
    parts = [
        f"--{boundary}\r\nContent-Type: application/dicom\r\n\r\n".encode() + path.read_bytes() + b"\r\n"
        for path in paths
    ]
    answer = archive.ask(
        "/dicom-web/studies",
        data=b"".join([*parts, f"--{boundary}--\r\n".encode()]),
        method="POST",
        Content_Type=f'multipart/related; type="application/dicom"; boundary={boundary}',
        Accept="application/dicom+json",
    )
    record = json.loads(answer)
    assert not record.get("00081198", {}).get("Value"), "Failed SOP Sequence"
    assert len(record["00081199"]["Value"]) == len(paths)


@pytest.mark.parametrize("send", [send_by_dimse, send_by_stow])
@pytest.mark.parametrize("name", applications.names())
def test_objects_come_back_equal(name, send, archive, synthetic, peer_program):
    _, _, folder = synthetic.results(name)
    paths = sorted((folder / "dicom").iterdir())
    archive.clear()
    send(archive, paths, peer_program)
    found = archive.instances()
    sent = [pydicom.dcmread(path) for path in paths]
    assert set(found) == {str(ds.SOPInstanceUID) for ds in sent}
    for ds in sent:
        assert found[ds.SOPInstanceUID] == ds
    series = [json.loads(archive.ask(f"/series/{s}")) for s in json.loads(archive.ask("/series"))]
    modalities = sorted(one["MainDicomTags"]["Modality"] for one in series)
    # Secondary captures are one series of OT, parametric maps another where the reading holds maps.
    of_maps = ["OT"] if any(path.name.startswith("map-") for path in paths) else []
    assert modalities == ["DOC", "OT", *of_maps, "SEG", "SR"]
