"""Limits on what files from outside may make this program do; each with the reason for its size.

Nothing here is tuned to a file: a limit refuses what no scanner sends, before memory is taken.
"""

GIB = 1024**3

# Archives. A long CT of 5,000 slices unpacks to 2.6 GB; PACS exports of a whole patient reach ten times that.
MAX_ARCHIVE_MEMBERS = 100_000
MAX_ARCHIVE_BYTES = 64 * GIB
MAX_MEMBER_BYTES = 8 * GIB
# Deflate cannot do better than about 1030:1; images reach 3:1, empty masks some hundreds.
MAX_ARCHIVE_RATIO = 1000
# Members smaller than this may have any ratio: a file of zeros that is small does no harm.
RATIO_COUNTS_FROM_BYTES = 16 * 1024**2
# An archive inside an archive is opened and kept in memory; one inside that is passed over.
MAX_ARCHIVE_DEPTH = 2
MAX_NESTED_ARCHIVE_BYTES = 2 * GIB

# Numbers written as text (NRRD); a slice of 512 x 512 has 1.5 MB of them.
MAX_TEXT_NUMBERS_BYTES = 256 * 1024**2

# Pages of a picture file (TIFF) that are read as one stack.
MAX_PICTURE_PAGES = 10_000

# What a DICOMweb server may send for one request, and how long it may be silent and take.
MAX_DOWNLOAD_BYTES = 64 * GIB
MAX_DOWNLOADED_INSTANCES = 100_000
MAX_DOWNLOADED_STUDIES = 50
MAX_ANSWER_BYTES = 64 * 1024**2
SILENCE_S = 30.0
WHOLE_DOWNLOAD_S = 3600.0

# Deflated data sets (1.2.840.10008.1.2.1.99) and gzip are inflated in pieces up to this.
MAX_INFLATED_BYTES = 8 * GIB
INFLATE_PIECE_BYTES = 1024**2

# Declared size of the pixels of one instance (rows x columns x frames x samples x bytes).
MAX_PIXEL_BYTES_OF_INSTANCE = 8 * GIB
# Declared size of one series as an array.
MAX_PIXEL_BYTES_OF_SERIES = 16 * GIB

# Declared pixel bytes to encapsulated bytes. RLE packs at most 128 bytes into 2; deflate as above; an
# even picture in JPEG 2000 or JPEG-LS reaches some thousands.
MAX_RATIO_RLE = 128
MAX_RATIO_DEFLATE = 1100
MAX_RATIO_OTHER = 20_000

# A picture file larger than this is no radiograph (the largest detectors have 40 megapixels).
MAX_PICTURE_PIXELS = 250_000_000

# Bytes read from the start of a file to tell what it is; the headers of most scanners end within.
SNIFFED_BYTES = 16 * 1024
# A header that is longer, by private attributes or large sequences, is left to pydicom.
LONGEST_SCANNED_HEADER_BYTES = 256 * 1024
