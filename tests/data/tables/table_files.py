"""One small table of each kind that people have. All texts are made up."""

import csv
import io
import json
import zipfile

import pyarrow as pa
import pyarrow.parquet as pq

TEXTS = ["A warm, funny café scene; I\u2019d see it again.", "“Dull” he said\nand left", "Fine | fine"]
LABELS = ["5", "1", "3"]
ROWS = [[str(n), text, label] for n, (text, label) in enumerate(zip(TEXTS, LABELS, strict=True), start=1)]
HEADER = ["id", "Review Text", "Rating"]


def written(rows=ROWS, header=HEADER, **options):
    out = io.StringIO(newline="")
    csv.writer(out, **options).writerows([header, *rows] if header else rows)
    return out.getvalue()


def zipped(**files):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in files.items():
            file.writestr(name, content)
    return out.getvalue()


def parquet(table, **options):
    out = io.BytesIO()
    pq.write_table(pa.table(table), out, **options)
    return out.getvalue()


CONTENT_TYPES = (
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="xml" ContentType="application/xml"/></Types>'
)
MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def workbook(cells, *, shared=(), sheets=None):
    """A workbook with sheets of cells as XML, dates in style 1."""
    sheets = sheets or {"Reviews": cells}
    entries = [f'<sheet name="{name}" sheetId="{n}" r:id="r{n}"/>' for n, name in enumerate(sheets, start=1)]
    links = [
        f'<Relationship Id="r{n}" Type="{OFFICE}/worksheet" Target="worksheets/sheet{n}.xml"/>'
        for n in range(1, len(sheets) + 1)
    ]
    links.append(f'<Relationship Id="s" Type="{OFFICE}/sharedStrings" Target="sharedStrings.xml"/>')
    links.append(f'<Relationship Id="t" Type="{OFFICE}/styles" Target="styles.xml"/>')
    files = {
        "[Content_Types].xml": CONTENT_TYPES,
        "_rels/.rels": f'<Relationships xmlns="{PACKAGE}"><Relationship Id="w" Type="{OFFICE}/officeDocument" '
        'Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook {MAIN} xmlns:r="{OFFICE}"><sheets>{"".join(entries)}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}">{"".join(links)}</Relationships>',
        "xl/sharedStrings.xml": f"<sst {MAIN}>{''.join(f'<si><t>{text}</t></si>' for text in shared)}</sst>",
        "xl/styles.xml": f'<styleSheet {MAIN}><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs></styleSheet>',
    }
    for n, found in enumerate(sheets.values(), start=1):
        files[f"xl/worksheets/sheet{n}.xml"] = f"<worksheet {MAIN}><sheetData>{found}</sheetData></worksheet>"
    return zipped(**files)


def text_cell(place, text):
    return f'<c r="{place}" t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'


XLSX = workbook(
    f'<row r="1">{text_cell("A1", "id")}<c r="B1" t="s"><v>0</v></c>{text_cell("C1", "Rating")}'
    f"{text_cell('D1', 'Date')}</row>"
    + "".join(
        f'<row r="{n}"><c r="A{n}"><v>{n - 1}</v></c>{text_cell(f"B{n}", text)}<c r="C{n}"><v>{label}.0</v></c>'
        f'<c r="D{n}" s="1"><v>45292</v></c></row>'
        for n, text, label in zip(range(2, 5), TEXTS, LABELS, strict=True)
    ),
    shared=["Review Text"],
)
OBJECTS = [{"id": int(n), "Review Text": text, "Rating": float(label)} for n, text, label in ROWS]
KINDS = {
    "commas": ("a.csv", written().encode()),
    "semicolons": ("a.csv", written(delimiter=";").encode()),
    "tabs": ("a.tsv", written(delimiter="\t").encode()),
    "pipes": ("a.txt", written(delimiter="|").encode()),
    "a sep= line": ("a.csv", ("sep=;\r\n" + written(delimiter=";")).encode()),
    "a byte order mark": ("a.csv", written().encode("utf-8-sig")),
    "UTF-16": ("a.csv", written(delimiter="\t").encode("utf-16")),
    "UTF-16 without a mark": ("a.csv", written(delimiter="\t").encode("utf-16-be")),
    "Windows-1252": ("a.csv", written(delimiter=";").encode("cp1252")),
    "Mac Roman": ("a.csv", written().encode("mac_roman")),
    "backslashes": ("a.csv", written(doublequote=False, escapechar="\\", quoting=csv.QUOTE_ALL).encode()),
    "JSON Lines": ("a.jsonl", "".join(json.dumps(item) + "\n" for item in OBJECTS).encode()),
    "a JSON array": ("a.json", json.dumps(OBJECTS, indent=1, ensure_ascii=False).encode()),
    "Parquet": ("a.parquet", parquet({"id": [1, 2, 3], "Review Text": TEXTS, "Rating": [5.0, 1.0, 3.0]})),
    "Excel": ("a.xlsx", XLSX),
    "a ZIP": ("a.zip", zipped(**{"__MACOSX/._a.csv": "x", "in/a.csv": written(), "read me.md": "Hello."})),
}
