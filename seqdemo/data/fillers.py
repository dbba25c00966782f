"""Eight neutral passages, written for this project, to put between an opinion and the end of a text.

None of them speaks of films or says what somebody thinks. How far each moves a model all the same
is measured and shown beside every result.
"""

from __future__ import annotations

FILLERS: dict[str, str] = {
    "House": """
The house has two floors and a cellar. On the ground floor there are a kitchen, a living room and a small room with
a window to the street. The kitchen is four metres long and three metres wide. A table stands in the middle of it,
with six chairs around the table. The stove is on the left, the sink is under the window, and the cupboard is beside
the door. A second door leads from the kitchen into the garden. The living room has three windows, one to the south
and two to the west. Along the wall there is a shelf with books, papers and boxes. The floor is made of wood, and
the walls are white. In the small room there is a desk with a lamp, a chair and a telephone. Fourteen steps lead up
to the second floor. There are two bedrooms, a bathroom and a long hall. The first bedroom is above the kitchen, and
the second one is above the living room. Each of them has a bed, a wardrobe and a mirror. The bathroom has a tub, a
basin and a cabinet for towels. At the end of the hall a ladder leads to the attic, where suitcases and blankets are
kept. The cellar is reached by a stair behind the kitchen door. It has two rooms. In the first room there are
shelves with jars and bottles, and in the second room there is the heating. Behind the house lies the garden. It is
twenty metres long and has a path of grey stones, which goes from the door to the gate. On both sides of the path
there is grass. Near the gate there are a shed, a bench and a barrel for the rain. The shed holds a ladder, two
spades and a bicycle. The street in front of the house has a number of trees, and the bus stops at the next corner,
in front of the post office.
""",
    "Timetable": """
The train leaves the central station at seven in the morning and arrives at the river station at a quarter past
nine. On its way it stops in five towns. The first stop is after eighteen minutes, the second stop is after thirty
minutes, and at the third stop the train waits for six minutes, because another train comes from the north.
Travellers who go to the harbour change here and walk from platform two to platform four. The train to the harbour
runs once an hour, from six in the morning to ten in the evening. On Sundays it runs every two hours. After the
third stop the line follows the river. It crosses two bridges and goes through a tunnel of four hundred metres. The
fourth stop is a village with a mill and a church, and the fifth stop is the market town. There the train is
divided. The front part goes on to the river station, and the rear part goes to the lake, where it arrives at half
past nine. Tickets are sold at the counter and at the machines beside the entrance. A single ticket is valid for
three hours, a day ticket is valid until midnight. Children under six years travel without a ticket. Bicycles are
carried in the last carriage, and a second ticket is needed for each of them. The counter is open from six to eight,
the waiting room from five to eleven. In the hall there are a table with all trains of the day, a clock and a plan
of the town. Bus number three stops in front of the station and goes to the hospital, the school and the town hall.
Bus number seven goes to the factory and comes back by the same road. In the winter the last train leaves at nine,
in the summer it leaves at ten. The timetable is printed twice a year, in June and in December, and it is put up at
every station of the line a week before.
""",
    "Bread": """
To make two loaves of bread, take a kilogram of flour, six hundred grams of water, twenty grams of salt and ten
grams of yeast. Put the flour into a large bowl and make a hole in the middle. Pour half of the water into the hole,
add the yeast and stir it with a spoon. Cover the bowl with a cloth and wait for fifteen minutes. Then add the salt
and the other half of the water. Mix everything by hand for ten minutes, until the dough comes off the bowl. Put it
back, cover it again and let it stand for an hour and a half at the temperature of the room. In this time it grows
to about twice its size. Put some flour on the table, take the dough out of the bowl and divide it into two parts.
Fold each part from the four sides to the middle and turn it round. Put the two loaves on a sheet of paper and cover
them for another forty minutes. Meanwhile heat the oven to two hundred and thirty degrees and place a small pan with
water on the floor of the oven. With a knife make three cuts across the top of each loaf. Put the sheet into the
middle of the oven and close the door. After fifteen minutes take the pan with the water out and turn the heat down
to two hundred degrees. After another twenty-five minutes the loaves are done. Knock on the bottom of one of them
with a finger and listen to the sound. Put them on a rack and wait for an hour before you cut them. The bread is
kept in a box or in a linen bag, and it lasts for four or five days. A loaf that is cut into slices can be put into
the freezer, where it keeps for three months. Instead of a kilogram of white flour one can take seven hundred grams
of it and three hundred grams of rye.
""",
    "River": """
The river begins in the hills in the north of the county, at a height of six hundred metres. For the first ten
kilometres it flows to the east, between fields and small woods. Then it turns to the south and reaches the first
town, which has eight thousand inhabitants. Here a second river joins it from the left. Below the town the valley is
about two kilometres wide. The road runs on the western side, the railway on the eastern side. There are three
bridges between the first town and the second one: a bridge of stone for carts, which is three hundred years old, a
bridge of iron for the railway, and a bridge of concrete for the road. At the second town the river is forty metres
wide and two metres deep. A weir holds the water back, and beside it stands a mill, which is now a museum. The
museum shows tools, maps and the wheel of the mill. From the weir a canal goes to the factory and comes back to the
river after a kilometre. South of the second town the land is flat. The river makes several turns, and in spring the
meadows on both sides are under water for two or three weeks. Farmers keep cows there in the summer and cut the
grass in June and in September. In the south the river passes a wood of oaks and a lake, which was made when gravel
was taken out of the ground. The lake is one kilometre long. Then the river flows under the motorway and through the
third town, where the harbour begins. Ships go from here to the sea with grain, sand and machines. The whole river
has a length of one hundred and forty kilometres. Its water is measured at six places, each day at seven in the
morning, and the numbers are written into a table at the office of the county. On average twenty cubic metres pass
the harbour in a second.
""",
    "Library": """
The library of the town is in the building beside the school. It is open from Tuesday to Saturday, from ten in the
morning to six in the evening. On the ground floor there are the desk, the newspapers and the room for children. On
the first floor there are books about history, geography, law and the sciences, in the order of their numbers. On
the second floor there are maps, letters and the records of the town since the year eighteen hundred and twelve. To
borrow a book one needs a card. The card is given out at the desk; bring a paper with your name and your address. A
book can be kept for four weeks and a newspaper for one day. If nobody else has asked for the book, the time is made
longer by another two weeks. Up to ten books can be borrowed at once. Books with a red mark on the back stay in the
building and are read at the tables near the windows. There are thirty-six tables, each with a lamp and a number.
Coats and bags are left in the boxes at the entrance. To find a book, look up its author or its subject in the
catalogue and write down the number. The first two digits name the shelf, the next three name the row. If another
reader has the book, fill in a form and put it into the box on the desk. Within three days a letter tells you on
which date it comes back. Books from other towns arrive on Mondays and Thursdays with the van. Copies are made on
the machine beside the stair, one page at a time. Every Wednesday at four a member of the staff shows new visitors
through the house, from the cellar to the roof. The tour takes forty minutes and begins at the desk. Once a year, in
the first week of August, all books are counted, and the library is closed. The numbers are printed in a report in
October.
""",
    "Office": """
The office is on the third floor, and eleven people work there. The day begins at half past eight. The first one who
comes opens the windows, turns on the lamps and takes the letters from the box. The letters are put into four trays:
one for bills, one for orders, one for questions and one for everything else. At nine the people of the first room
sit down at the table and go through the list of the day. Each item has a number, a name and a date. What was done
is marked with a line, and what is still open is moved to the next page. The meeting takes about twenty minutes.
After that the orders are written into the book and sent down to the store on the first floor. In the store two men
take the boxes from the shelves, put them on a cart and bring them to the gate. The van comes at eleven and at
three. The driver signs a sheet with the number of boxes, and the sheet goes back to the office. Between twelve and
one there is a break. Some people go to the canteen across the street, others eat at their desks. In the afternoon
the bills are checked. One person reads the numbers aloud, another one compares them with the book. If a number is
different, the page gets a yellow mark and is looked at again on the next day. At four the copies are made, and at
half past four the letters of the day are put into envelopes and weighed. A letter of up to twenty grams needs one
stamp, a letter of up to fifty grams needs two. The box at the corner is emptied at half past five. The last one who
leaves closes the windows, turns off the lamps and gives the key to the man at the door. On Fridays the week is
added up, and the sheet with the sums is put into the folder beside the clock.
""",
    "Journey": """
A man and a woman travel from the coast to the mountains by car. They leave the town on a Monday at eight in the
morning. The man drives, and the woman holds the map. In the back of the car there are two suitcases, a tent and a
basket. The road follows the coast for an hour and then turns inland. At ten they stop at a village, where the man
buys petrol and the woman sends two postcards. They cross a plain with fields of wheat and maize. At noon they sit
under a tree beside the road and eat bread, cheese and apples. In the afternoon the land rises. The road goes up in
many turns, through a forest of pines, and comes to a lake between two hills. There is a house with a sign, and they
take a room for the night. In the evening they walk around the lake, which takes an hour and ten minutes, and they
meet a shepherd with his dog and forty sheep. He tells them the way to the pass. On Tuesday they start at seven. At
the pass there is a hut, a wooden table and a stone with the height carved into it. A bus with school children
stands beside the hut, and the teacher counts them. On the other side the road leads down into a valley. They pass a
quarry, a sawmill and a chapel, and at two in the afternoon they reach the town. The man parks the car in front of
the town hall. The woman asks at the counter for the street, and a clerk writes it down for her. The street is
behind the market, near the river. Her brother lives there, at number nineteen, above a shop for watches. He comes
down the stair, takes one of the suitcases and goes up before them. They put the tent and the basket into the
cellar. Then they sit down in the kitchen, and he pours the tea and asks about the road.
""",
    "Shelf": """
The shelf comes in two boxes. The first box holds the two sides, the top and the bottom; the second box holds four
boards, the back and a bag with the screws. Open the boxes on the floor and lay all parts beside each other. Count
the screws: there are twenty-four long ones, sixteen short ones and eight pins of wood. You need a screwdriver, a
hammer and a pencil. Begin with the left side. Lay it down so that the row of holes faces up. Push two pins into the
holes at the upper end and two pins into the holes at the lower end. Place the bottom on the lower pins and the top
on the upper ones, and fix each of them with three long screws. Turn the screws only half of the way. Now lay the
right side on the other ends of the two boards, so that the pins go into the holes, and fix it in the same way. Turn
the frame over, so that it lies on its front. Measure from corner to corner in both directions. When both numbers
are the same, the frame is straight. Then turn all screws to the end. Slide the back into the groove from above and
fix it with the short screws, one every twenty centimetres. Now put the frame upright against the wall. It takes two
people to lift it. The four boards rest on metal pegs, two on the left and two on the right. Choose a height for
each board, count the holes from below and push in the pegs. Lay the boards on the pegs, the narrow edge to the
front. At the top there is a metal angle with two holes. Hold it against the wall, mark the holes with the pencil
and move the shelf away. Drill two holes of six millimetres, put in the plugs, move the shelf back and turn in the
last two screws. Each board carries up to thirty kilograms. The empty boxes are folded and taken to the container
for paper.
""",
}
"""Name → at least 300 words."""

MARKS_BEFORE_THE_END = ",;:"


def opening(name: str, n_words: int) -> str:
    """The first words of a passage, closed by a full stop.

    Args:
        name: A name in `FILLERS`.
        n_words: How many words, marks not counted; 0 gives an empty text.

    Returns:
        The text on one line.
    """
    words = FILLERS[name].split()
    if not 0 <= n_words <= len(words):
        raise ValueError(f"{name} has {len(words)} words; {n_words} were asked for.")
    text = " ".join(words[:n_words]).rstrip(MARKS_BEFORE_THE_END)
    return text + "." if text and text[-1] != "." else text
