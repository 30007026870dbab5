"""One small annotation file of each format, as its program would have saved it."""

import gzip
import json

from tests.sessions import via_project

VIA = json.dumps(via_project({"020500.mp4": [(0, 4.35, "0"), (4.35, 12.1, "1"), (5, 6, "Sniff")]}))

BORIS = json.dumps(
    {
        "time_format": "hh:mm:ss",
        "project_name": "dogs",
        "project_format_version": "7.0",
        "subjects_conf": {"0": {"key": "", "name": "Rex", "description": ""}},
        "behaviors_conf": {
            "0": {
                "type": "State event",
                "key": "s",
                "code": "sit",
                "modifiers": "",
                "excluded": "",
            },
            "1": {
                "type": "Point event",
                "key": "b",
                "code": "bark",
                "modifiers": "",
                "excluded": "",
            },
        },
        "observations": {
            "walk 1": {
                "file": {"1": ["020500.mp4"], "2": []},
                "type": "MEDIA",
                "date": "2024-02-02T10:00:00",
                "description": "",
                "time offset": 0.0,
                "events": [
                    [3.3, "Rex", "sit", "", "", 66],
                    [5.0, "Rex", "bark", "loud", "", "NA"],
                    [7.75, "Rex", "sit", "", "", ""],
                ],
                "media_info": {
                    "length": {"020500.mp4": 60.0},
                    "fps": {"020500.mp4": 20.0},
                    "offset": {"1": 0.0},
                },
                "media_creation_date_as_offset": False,
            }
        },
    }
)

BORIS_INTERVALS = """\
Observation id\tObservation date\tSource\tTime offset (s)\tFPS (frame/s)\tSubject\tBehavior\t\
Behavior type\tStart (s)\tStop (s)\tDuration (s)\tMedia file name
walk 1\t2024-02-02 10:00:00\tplayer #1:020500.mp4\t0.0\t20.0\tRex\tsit\tSTATE\t3.3\t7.75\t4.45\t\
020500.mp4
walk 1\t2024-02-02 10:00:00\tplayer #1:020500.mp4\t0.0\t20.0\tRex\tbark\tPOINT\t5.0\t5.0\tNA\t\
020500.mp4
"""

BORIS_EVENTS = """\
Observation id,Source,Time offset (s),Time,Subject,Behavior,Behavior type,Media file name,Comment
walk 1,player #1:020500.mp4,0.0,3.3,Rex,sit,START,020500.mp4,
walk 1,player #1:020500.mp4,0.0,7.75,Rex,sit,STOP,020500.mp4,
"""

CVAT = """\
<?xml version="1.0" encoding="utf-8"?>
<annotations>
  <version>1.1</version>
  <meta><task><id>1</id><name>dogs</name><size>240</size><source>020500.mp4</source>
    <labels><label><name>dog</name><attributes>
      <attribute><name>behaviour</name><mutable>True</mutable><input_type>select</input_type>
      <values>sit\nwalk</values></attribute></attributes></label></labels>
    <original_size><width>320</width><height>240</height></original_size></task></meta>
  <track id="0" label="dog" source="manual">
    <box frame="10" outside="0" occluded="0" keyframe="1" xtl="1" ytl="1" xbr="9" ybr="9">
      <attribute name="behaviour">sit</attribute></box>
    <box frame="11" outside="0" occluded="0" keyframe="0" xtl="1" ytl="1" xbr="9" ybr="9">
      <attribute name="behaviour">sit</attribute></box>
    <box frame="12" outside="1" occluded="0" keyframe="1" xtl="1" ytl="1" xbr="9" ybr="9">
      <attribute name="behaviour">sit</attribute></box>
  </track>
</annotations>
"""

ELAN = """\
<?xml version="1.0" encoding="UTF-8"?>
<ANNOTATION_DOCUMENT AUTHOR="kt" DATE="2024-02-02T10:00:00+01:00" FORMAT="3.0" VERSION="3.0">
  <HEADER MEDIA_FILE="" TIME_UNITS="milliseconds">
    <MEDIA_DESCRIPTOR MEDIA_URL="file:///C:/dogs/020500.mp4" MIME_TYPE="video/mp4"
      RELATIVE_MEDIA_URL="./020500.mp4"/>
  </HEADER>
  <TIME_ORDER>
    <TIME_SLOT TIME_SLOT_ID="ts1" TIME_VALUE="1235"/>
    <TIME_SLOT TIME_SLOT_ID="ts2" TIME_VALUE="3333"/>
  </TIME_ORDER>
  <TIER LINGUISTIC_TYPE_REF="default-lt" PARTICIPANT="Rex" ANNOTATOR="kt" TIER_ID="behaviour">
    <ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a1" TIME_SLOT_REF1="ts1" TIME_SLOT_REF2="ts2">
      <ANNOTATION_VALUE>sit</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION>
  </TIER>
  <LINGUISTIC_TYPE LINGUISTIC_TYPE_ID="default-lt" TIME_ALIGNABLE="true"/>
</ANNOTATION_DOCUMENT>
"""

DEEPETHOGRAM = "\n".join(
    [
        ",background,sit,walk",
        *(f"{row},0,{int(row < 40)},{int(row >= 40)}" for row in range(80)),
        "",
    ]
)

PLAIN = """\
file,start,end,label,task,subject
020500.mp4,0,4.35,sit,behaviour,Rex
020500.mp4,6.02,,bark,behaviour,
"""

# By the name that its program would give it; formats are told by content all the same.
EXAMPLES: dict[str, bytes] = {
    "via.json": VIA.encode(),
    "boris.boris": BORIS.encode(),
    "boris.boris.gz": gzip.compress(BORIS.encode(), mtime=0),
    "intervals.tsv": BORIS_INTERVALS.encode(),
    "events.csv": BORIS_EVENTS.encode(),
    "cvat.xml": CVAT.encode(),
    "elan.eaf": ELAN.encode(),
    "020500_labels.csv": DEEPETHOGRAM.encode(),
    "plain.csv": PLAIN.encode(),
}
