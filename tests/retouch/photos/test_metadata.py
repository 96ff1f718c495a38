"""ICC, EXIF, XMP and the rest: kept, told apart by place, and stamped."""

import io
import struct
import xml.etree.ElementTree as ElementTree
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageCms, PngImagePlugin

from retouch.photos import tiff
from retouch.photos.photo import Metadata, Provenance, encode, like, read

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
PACKET = f"""<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{RDF}">
<rdf:Description rdf:about="uuid:1" xmlns:xmp="http://ns.adobe.com/xap/1.0/"
 xmlns:odd="http://example.com/odd/" xmlns:exif="http://ns.adobe.com/exif/1.0/"
 xmp:CreatorTool="A camera" exif:GPSLatitude="52,30N" odd:mood="calm &amp; bright">
<odd:lights><rdf:Seq><rdf:li>key</rdf:li></rdf:Seq></odd:lights>
</rdf:Description></rdf:RDF></x:xmpmeta>
<?xpacket end="w"?>""".encode()
MAKER_NOTE = b"SECRET MAKER NOTE" * 3
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
STAMP = Provenance("faces-256", "smile", 0.75, software="retouch 0.1")
FORMATS = ["JPEG", "PNG", "TIFF", "WEBP", "AVIF"]
COMPOSITE = "digitalsourcetype/compositeWithTrainedAlgorithmicMedia"


def exif():
    exif = Image.Exif()
    exif[0x010F] = "A camera maker"
    exif[0x0112] = 1
    exif[0x8769] = {0x9003: "2024:05:06 07:08:09", 0x927C: MAKER_NOTE}
    exif[0x8825] = {1: "N", 2: (52.0, 30.0, 7.0), 7: (1.0, 2.0, 3.0)}
    return exif.tobytes()


def photograph(format="JPEG", **options):
    given = {"exif": exif(), "xmp": PACKET, "icc_profile": SRGB, "dpi": (300, 300)}
    if format == "PNG":
        notes = PngImagePlugin.PngInfo()
        notes.add_text("Title", "At the window")
        notes.add_itxt("XML:com.adobe.xmp", PACKET.decode())
        given["pnginfo"] = notes
    if format == "TIFF":
        given["tiffinfo"] = {700: given.pop("xmp")}
        merged = Image.Exif()
        merged.load(given.pop("exif"))
        merged[700] = PACKET
        given["tiffinfo"] = merged
    file = io.BytesIO()
    Image.fromarray(np.full((16, 24, 3), 90, np.uint8)).save(
        file, format, **given | options
    )
    return read(file.getvalue())


def opened(data):
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


@pytest.mark.parametrize("target", FORMATS)
@pytest.mark.parametrize("format", FORMATS)
def test_everything_is_kept_within_a_format_and_from_one_to_another(format, target):
    photo = photograph(format)
    data = encode(photo, target)
    assert MAKER_NOTE in data
    image, again = opened(data), read(data)
    if target != "TIFF":
        offset = photo.metadata.exif.index(MAKER_NOTE)
        assert again.metadata.exif.index(MAKER_NOTE) == offset
    assert image.getexif()[0x010F] == "A camera maker"
    assert image.getexif().get_ifd(0x8825)[2] == (52.0, 30.0, 7.0)
    assert image.getexif().get_ifd(0x8769)[0x9003] == "2024:05:06 07:08:09"
    assert again.metadata.icc == SRGB
    assert b"calm &amp; bright" in again.metadata.xmp
    if not {format, target} & {"WEBP", "AVIF"}:
        assert [round(value) for value in again.metadata.dpi] == [300, 300]
    if format == target == "PNG":
        assert dict(again.metadata.text) == {"Title": "At the window"}


@pytest.mark.parametrize("format", FORMATS)
def test_location_is_stripped_wherever_it_is_kept(format):
    data = encode(photograph(format), strip_location=True)
    gps = struct.pack("<6I", 52, 1, 30, 1, 7, 1)
    assert gps in encode(photograph(format))
    assert gps not in data
    assert b"GPSLatitude" not in data
    assert not opened(data).getexif().get_ifd(0x8825)
    assert MAKER_NOTE in data
    assert b"calm" in read(data).metadata.xmp


@pytest.mark.parametrize("format", FORMATS)
def test_provenance_is_merged_into_what_is_there(format):
    again = read(encode(photograph(format), provenance=STAMP))
    packet = again.metadata.xmp.decode()
    root = ElementTree.fromstring(packet)
    description = f"{{{RDF}}}Description"
    assert {node.get(f"{{{RDF}}}about") for node in root.iter(description)} == {
        "uuid:1"
    }
    assert packet.count(COMPOSITE) == 1
    assert "A camera<" not in packet
    assert (
        packet.count("CreatorTool>retouch 0.1 (edit smile, strength 0.75, model") == 1
    )
    assert 'odd:mood="calm &amp; bright"' in packet
    assert "<odd:lights><rdf:Seq><rdf:li>key" in packet
    software = opened(encode(again)).getexif()[0x0131]
    assert software == "retouch 0.1 (edit smile, strength 0.75, model faces-256)"
    if format == "PNG":
        assert dict(again.metadata.text)["Software"] == software


def test_a_second_stamp_replaces_the_first():
    once = read(encode(photograph(), provenance=STAMP))
    twice = read(encode(once, provenance=Provenance("other", "frown", 1)))
    packet = twice.metadata.xmp.decode()
    assert packet.count("DigitalSourceType>") == 2  # one element's two tags
    assert "smile" not in packet
    assert "frown" in packet


@pytest.mark.parametrize(
    "packet", [None, b"", b"<broken", b"<!DOCTYPE x [<!ENTITY y 'z'>]><x>&y;</x>"]
)
def test_a_packet_that_cannot_be_trusted_is_replaced(packet):
    stamped = Metadata(xmp=packet).stamped(STAMP).xmp
    assert COMPOSITE.encode() in stamped
    assert b"ENTITY" not in stamped
    ElementTree.fromstring(stamped.decode())


def test_a_wholly_generated_picture_stays_declared_as_such():
    generated = COMPOSITE.replace("compositeWithT", "t")
    packet = (
        Metadata().stamped(STAMP).xmp.replace(COMPOSITE.encode(), generated.encode())
    )
    stamped = Metadata(xmp=packet).stamped(STAMP).xmp
    assert generated.encode() in stamped
    assert COMPOSITE.encode() not in stamped


def test_a_pil_image_and_bare_pixels_are_stamped_too():
    image = Image.new("RGB", (4, 4))
    back = like(read(image), image, provenance=STAMP)
    assert COMPOSITE.encode() in back.info["xmp"]
    assert b"smile" in back.info["exif"]
    assert COMPOSITE.encode() in encode(read(np.asarray(image)), provenance=STAMP)


def with_thumbnail(order="<"):
    """Return EXIF as cameras write it: a directory, another, and its thumbnail."""
    thumbnail = b"\xff\xd8 the face as it was \xff\xd9"
    first = struct.pack(order + "HHHIHHI", 1, tiff.ORIENTATION, 3, 1, 6, 0, 26)
    entry = struct.Struct(order + "HHII")
    fields = [entry.pack(0x0201, 4, 1, 56), entry.pack(0x0202, 4, 1, len(thumbnail))]
    second = struct.pack(order + "H", 2) + b"".join(fields) + bytes(4)
    magic = b"II*\0" if order == "<" else b"MM\0*"
    return magic + struct.pack(order + "I", 8) + first + second + thumbnail


@pytest.mark.parametrize("order", "<>")
def test_the_thumbnail_of_the_old_face_is_gone(order):
    block = with_thumbnail(order)
    upright = Metadata(exif=block).upright().exif
    assert b"the face" not in upright
    assert len(upright) < len(block)
    value = tiff.fields(upright)[tiff.ORIENTATION][8:10]
    assert value == struct.pack(order + "H", 1)
    photo = photograph(exif=b"Exif\0\0" + block)
    assert photo.pixels.shape == (24, 16, 3)
    assert b"the face" not in encode(photo)


def test_a_directory_that_says_a_thing_twice_or_has_no_end_is_read():
    entry = struct.pack("<HHIHH", tiff.ORIENTATION, 3, 1, 6, 0)
    block = b"II*\0" + struct.pack("<IH", 8, 2) + entry + entry
    photo = photograph(exif=b"Exif\0\0" + block)
    assert photo.pixels.shape == (24, 16, 3)
    exif = opened(encode(photo, provenance=STAMP)).getexif()
    assert (exif[0x0112], exif[0x0131]) == (1, STAMP.note)


@pytest.mark.parametrize("damage", range(0, 110, 3))
def test_damaged_exif_never_stands_in_the_way(damage):
    block = bytearray(with_thumbnail())
    block[damage : damage + 4] = b"\xff\xff\xff\x7f"
    metadata = Metadata(exif=bytes(block)).upright()
    metadata.without_location().stamped(STAMP)
    assert encode(photograph(exif=b"Exif\0\0" + bytes(block)), provenance=STAMP)


def test_a_profile_of_another_colour_space_is_left_behind():
    grey_profile = SRGB[:16] + b"GRAY" + SRGB[20:]
    image = Image.new("L", (4, 4), 99)
    image.info["icc_profile"] = grey_profile
    photo = read(image)
    assert read(encode(photo, "PNG")).metadata.icc == grey_profile
    assert read(encode(photo, "WEBP")).metadata.icc is None


def test_iptc_and_extended_xmp_of_a_jpeg_are_kept():
    segment = b"Photoshop 3.0\0" + b"8BIM\x04\x04\0\0\0\0\0\x04abcd"
    marker = b"\xff\xed" + struct.pack(">H", len(segment) + 2) + segment
    photo = photograph(extra=marker, comment=b"hello")
    image = opened(encode(photo))
    assert image.info["photoshop"] == {0x0404: b"abcd"}
    assert image.info["comment"] == b"hello"
    assert b"8BIM" not in encode(photo, strip_location=True)


def test_the_gamma_of_a_png_is_kept():
    notes = PngImagePlugin.PngInfo()
    notes.add(b"gAMA", struct.pack(">I", 100000))
    photo = photograph("PNG", pnginfo=notes, icc_profile=None)
    assert opened(encode(photo)).info["gamma"] == 1.0
    deep = replace(photo, pixels=photo.pixels.astype(np.uint16) * 257)
    assert opened(encode(deep)).info["gamma"] == 1.0


@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("order", ["II", "MM"])
def test_a_tiff_keeps_exif_and_location_be_it_large(order, big):
    if order == "MM" and big:
        pytest.skip("Pillow does not write it")
    file, notes = io.BytesIO(), Image.Exif()
    notes.load(exif())
    notes.endian = {"II": "<", "MM": ">"}[order]
    image = Image.fromarray(np.full((16, 24, 3), 90, np.uint8))
    image.save(file, "TIFF", exif=notes, big_tiff=big)
    assert (file.getvalue()[2:3] == b"+") == big
    for target in ("TIFF", "JPEG", "PNG"):
        kept = opened(encode(read(file.getvalue()), target)).getexif()
        assert kept[0x010F] == "A camera maker"
        assert kept.get_ifd(0x8769)[0x9003] == "2024:05:06 07:08:09"
        assert kept.get_ifd(0x8769)[0x927C] == MAKER_NOTE
        assert kept.get_ifd(0x8825)[2] == (52.0, 30.0, 7.0)


def test_exif_of_a_big_tiff_of_the_other_order_is_found_too():
    tifffile = pytest.importorskip("tifffile")
    file, pixels = io.BytesIO(), np.full((16, 24, 3), 90, np.uint8)
    notes = {"extratags": [(271, "s", 0, "A maker", True)], "photometric": "rgb"}
    tifffile.imwrite(file, pixels, bigtiff=True, byteorder=">", **notes)
    assert file.getvalue()[:4] == b"MM\0+"
    block = tiff.collected(file.getvalue(), tiff.LAYOUT)
    assert tiff.values(block, tiff.first(block))[271] == (tiff.ASCII, b"A maker\0")


def resource(number, data, name=b""):
    named = bytes([len(name)]) + name
    named += b"\0" * (len(named) % 2)
    padded = data + b"\0" * (len(data) % 2)
    return (
        b"8BIM"
        + struct.pack(">H", number)
        + named
        + struct.pack(">I", len(data))
        + padded
    )


RESOURCES = resource(1028, b"iptc!", b"odd") + resource(1005, b"sixteen bytes or")
PICTURED = resource(1036, b"what the face was") + RESOURCES + resource(1058, b"exif")


def test_photoshops_resources_of_a_tiff_are_kept_without_the_old_face():
    file = io.BytesIO()
    image = Image.fromarray(np.full((16, 24, 3), 90, np.uint8))
    image.save(file, "TIFF", tiffinfo={0x8649: PICTURED})
    photo = read(file.getvalue())
    assert opened(encode(photo)).tag_v2[0x8649] == RESOURCES
    assert 0x8649 not in opened(encode(photo, strip_location=True)).tag_v2
    for damage in (
        PICTURED[:-3],
        PICTURED[2:],
        b"8BIM",
        PICTURED.replace(b"8B", b"??"),
    ):
        image.save(file := io.BytesIO(), "TIFF", tiffinfo={0x8649: damage})
        assert b"the face was" not in encode(read(file.getvalue()))


def test_the_old_face_in_photoshops_segment_of_a_jpeg_is_gone():
    segment = b"Photoshop 3.0\0" + PICTURED
    marker = b"\xff\xed" + struct.pack(">H", len(segment) + 2) + segment
    data = encode(photograph(extra=marker))
    assert b"Photoshop 3.0\0" + RESOURCES in data
    assert b"the face was" not in data
