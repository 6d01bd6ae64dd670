# SPDX-License-Identifier: GPL-2.0
"""What is inside a kernel image: the kernel proper, and its BTF."""
import lzma
import re
import struct
import subprocess
import zlib

BTF_MAGIC = b"\x9f\xeb\x01\x00\x18\x00\x00\x00"  # magic, version 1, no flags, 24-byte header (little-endian)
BTF_MIN_BYTES = 1 << 20  # a whole kernel's; a smaller match is chance or a test's


def _tool(*cmd):
    def run(data):
        # Not check=True: what follows the payload makes them complain after the work is done.
        return subprocess.run(cmd, input=data, capture_output=True, check=False).stdout
    return run


def _xz(data):
    return lzma.LZMADecompressor().decompress(data)


def _gzip(data):
    return zlib.decompressobj(31).decompress(data)


COMPRESSIONS = [
    (b"\xfd7zXZ\x00", _xz), (b"\x1f\x8b\x08", _gzip), (b"\x28\xb5\x2f\xfd", _tool("zstd", "-dcq")),
    (b"\x02\x21\x4c\x18", _tool("lz4", "-dcq")), (b"\x5d\x00\x00", _tool("xz", "--format=lzma", "-dcq")),
]


def _decompress(payload):
    for magic, run in COMPRESSIONS:
        if payload.startswith(magic):
            return run(payload)
    raise ValueError(f"unknown compression {payload[:6].hex()}")


def is_zboot(data):
    return data[4:8] == b"zimg"


def kernel_proper(data):
    """The uncompressed kernel inside an x86 bzImage, an EFI zboot image or an arm64 Image."""
    if is_zboot(data):
        start, size = struct.unpack_from("<II", data, 8)
        return _decompress(data[start:start + size])
    if data[0x202:0x206] == b"HdrS":
        # boot protocol 2.08: setup sectors, then the payload at an offset from the protected-mode code
        setup_bytes = ((data[0x1F1] or 4) + 1) * 512
        start, size = struct.unpack_from("<II", data, 0x248)
        return _decompress(data[setup_bytes + start:setup_bytes + start + size])
    if data.startswith(b"\x1f\x8b\x08"):
        return _gzip(data)
    return data


def btf(kernel):
    """The kernel's .BTF section, found by its header: an arm64 Image has no section table."""
    best = b""
    for m in re.finditer(re.escape(BTF_MAGIC), kernel):
        at = m.start()
        type_off, type_len, str_off, str_len = struct.unpack_from("<IIII", kernel, at + 8)
        size = 24 + str_off + str_len
        if type_off == 0 and str_off == type_len and at + size <= len(kernel) and size > len(best):
            best = kernel[at:at + size]
    if len(best) < BTF_MIN_BYTES:
        raise ValueError("the image has no BTF")
    return best
