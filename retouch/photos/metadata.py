"""What a photo says besides its pixels: ICC, EXIF, XMP, and what was done to it."""

import re
import struct
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from importlib.metadata import PackageNotFoundError, version
from xml.dom.minidom import Document, parseString
from xml.parsers.expat import ExpatError

from retouch.photos import tiff

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
XMP = "http://ns.adobe.com/xap/1.0/"
IPTC_CORE = "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/"
IPTC_EXT = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
PHOTOSHOP = "http://ns.adobe.com/photoshop/1.0/"
EXIF = "http://ns.adobe.com/exif/1.0/"
BLANK_XMP = (
    f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{RDF}"/></x:xmpmeta>'
).encode()
PLACES = {
    (PHOTOSHOP, "City"),
    (PHOTOSHOP, "State"),
    (PHOTOSHOP, "Country"),
    (IPTC_CORE, "Location"),
    (IPTC_CORE, "CountryCode"),
    (IPTC_EXT, "LocationCreated"),
    (IPTC_EXT, "LocationShown"),
}
STAMPED = {
    (IPTC_EXT, "DigitalSourceType"),
    (IPTC_EXT, "AISystemUsed"),
    (XMP, "CreatorTool"),
}
SOURCE_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"


def _this_software() -> str:
    try:
        return f"retouch {version('retouch')}"
    except PackageNotFoundError:
        return "retouch"


def _printable(text: str) -> str:
    return "".join(c for c in text if c.isprintable())


@dataclass(frozen=True)
class Provenance:
    """What was done to a photo, to be written into it."""

    model: str
    edit: str
    strength: float
    software: str = field(default_factory=_this_software)

    @property
    def note(self) -> str:
        what = f"edit {self.edit}, strength {self.strength:g}, model {self.model}"
        return _printable(f"{self.software} ({what})")


@dataclass(frozen=True)
class Metadata:
    """Everything a photo's file holds besides its pixels, free of the format."""

    icc: bytes | None = None
    exif: bytes | None = None  # the bare TIFF structure
    xmp: bytes | None = None  # the packet
    dpi: tuple[float, float] | None = None
    comment: bytes | None = None  # of a JPEG
    segments: bytes = b""  # of a JPEG: IPTC and extended XMP, as they came
    resources: bytes = b""  # of a TIFF: Photoshop's
    text: tuple[tuple[str, str], ...] = ()  # of a PNG
    chunks: tuple[tuple[bytes, bytes], ...] = ()  # of a PNG: gamma and primaries

    def upright(self) -> "Metadata":
        """Return this with the orientation reset and the old thumbnail gone.

        EXIF that cannot be parsed is left out: nobody else could read it either.
        """
        exif = None
        if self.exif:
            try:
                one = tiff.pack(tiff.byte_order(self.exif), tiff.SHORT, [1])
                turned = tiff.ORIENTATION in tiff.fields(self.exif)
                put = {tiff.ORIENTATION: (tiff.SHORT, one)} if turned else {}
                exif = tiff.edited(self.exif, put=put)
            except (ValueError, struct.error):
                exif = None
        pattern = rb"(tiff:Orientation(?:=[\"']|>)\s*)[0-9]"
        xmp = self.xmp and re.sub(pattern, rb"\g<1>1", self.xmp)
        return replace(self, exif=exif, xmp=xmp)

    def without_location(self) -> "Metadata":
        """Return this without GPS and place names, wherever they are kept.

        IPTC blocks and packets that cannot be parsed go as a whole.
        """

        def tells(namespace: str | None, name: str) -> bool:
            gps = namespace == EXIF and name.startswith("GPS")
            return gps or (namespace, name) in PLACES

        document = _parsed(self.xmp)
        if document:
            _remove(document, tells)
        return replace(
            self,
            exif=self.exif and tiff.edited(self.exif, drop={tiff.GPS_IFD, tiff.IPTC}),
            xmp=_packet(document) if document else None,
            segments=b"",
            resources=b"",
            text=tuple(t for t in self.text if not t[0].startswith("Raw profile")),
        )

    def stamped(self, provenance: Provenance) -> "Metadata":
        """Return this with the provenance in XMP, EXIF and PNG text."""
        note = provenance.note
        software = (tiff.ASCII, note.encode("ascii", "replace") + b"\0")
        text = [(key, value) for key, value in self.text if key != "Software"]
        return replace(
            self,
            exif=tiff.edited(self.exif or tiff.BLANK, put={tiff.SOFTWARE: software}),
            xmp=_stamped_packet(self.xmp, provenance),
            text=(*text, ("Software", note)),
        )

    def unstamped(self) -> "Metadata":
        """Return this without what `stamped` wrote."""
        document = _parsed(self.xmp)
        if document:
            _remove(document, lambda namespace, name: (namespace, name) in STAMPED)
        return replace(
            self,
            exif=self.exif and tiff.edited(self.exif, drop={tiff.SOFTWARE}),
            xmp=_packet(document) if document else self.xmp,
            text=tuple(pair for pair in self.text if pair[0] != "Software"),
        )


@dataclass(frozen=True)
class Notes:
    """What XMP tells of how a picture came about."""

    source_type: str = ""  # IPTC's word for it
    system: str = ""  # the model
    tool: str = ""  # the program


def notes(metadata: Metadata) -> Notes:
    """Return what the metadata tells of how a picture came about."""
    document = _parsed(metadata.xmp)
    if document is None:
        return Notes()
    source = _value(document, IPTC_EXT, "DigitalSourceType")
    return Notes(
        source.removeprefix(SOURCE_TYPES),
        _value(document, IPTC_EXT, "AISystemUsed"),
        _value(document, XMP, "CreatorTool"),
    )


def _value(document: Document, namespace: str, name: str) -> str:
    """Return a property's text, be it an element or an attribute."""
    for element in document.getElementsByTagNameNS(namespace, name):
        children = element.childNodes
        return "".join(c.data for c in children if c.nodeType == c.TEXT_NODE).strip()
    for description in document.getElementsByTagNameNS(RDF, "Description"):
        if description.hasAttributeNS(namespace, name):
            return description.getAttributeNS(namespace, name)
    return ""


def _parsed(packet: bytes | None) -> Document | None:
    """Return the packet's document if it is sound and declares no entities."""
    try:
        text = (packet or b"").decode("utf-8-sig").strip(" \t\r\n\0")
        if "<!DOCTYPE" in text or "<!ENTITY" in text:
            return None
        document = parseString(text)
        document.toxml()  # recurses: a packet too deep to be written is not sound
    except (ExpatError, UnicodeDecodeError, RecursionError):
        return None
    return document if document.getElementsByTagNameNS(RDF, "RDF") else None


def _remove(document: Document, doomed: Callable[[str | None, str], bool]) -> None:
    for description in document.getElementsByTagNameNS(RDF, "Description"):
        for attribute in list(description.attributes.values()):
            if doomed(attribute.namespaceURI, attribute.localName or ""):
                description.removeAttributeNode(attribute)
        for child in list(description.childNodes):
            is_element = child.nodeType == child.ELEMENT_NODE
            if is_element and doomed(child.namespaceURI, child.localName or ""):
                description.removeChild(child)


def _stamped_packet(packet: bytes | None, provenance: Provenance) -> bytes:
    document = _parsed(packet) or parseString(BLANK_XMP)
    values = {
        ("Iptc4xmpExt", IPTC_EXT, "DigitalSourceType"): _source_type(document),
        ("Iptc4xmpExt", IPTC_EXT, "AISystemUsed"): _printable(provenance.model),
        ("xmp", XMP, "CreatorTool"): provenance.note,
    }
    _remove(document, lambda namespace, name: (namespace, name) in STAMPED)
    (rdf, *_) = document.getElementsByTagNameNS(RDF, "RDF")
    others = rdf.getElementsByTagNameNS(RDF, "Description")
    added = document.createElementNS(RDF, "rdf:Description")
    added.setAttribute("xmlns:rdf", RDF)
    about = others[0].getAttributeNS(RDF, "about") if others else ""
    added.setAttributeNS(RDF, "rdf:about", about)
    for (prefix, namespace, name), value in values.items():
        added.setAttribute(f"xmlns:{prefix}", namespace)
        element = document.createElementNS(namespace, f"{prefix}:{name}")
        element.appendChild(document.createTextNode(value))
        added.appendChild(element)
    rdf.appendChild(added)
    return _packet(document)


def _source_type(document: Document) -> str:
    """A picture that was wholly generated stays declared as such."""
    wholly = SOURCE_TYPES + "trainedAlgorithmicMedia"
    if wholly in document.getElementsByTagName("*")[0].toxml():
        return wholly
    return SOURCE_TYPES + "compositeWithTrainedAlgorithmicMedia"


def _packet(document: Document) -> bytes:
    begin = '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
    body = document.getElementsByTagName("*")[0].toxml()
    return (begin + body + '\n<?xpacket end="w"?>').encode()
