"""The vocabulary of prompts: how people name what the world has, and what it lacks.

The lists cover the largest trained world. An edition without an actor, a place … does not draw its words, and the lists of unknown things leave out what the
edition has.
"""

from world import editions

WORLD = editions.world()

# Verbs of each action as (base, third person, gerund, past).
VERBS = {
    "stands": [("stand", "stands", "standing", "stood"), ("wait", "waits", "waiting", "waited"), ("stay", "stays", "staying", "stayed"),
               ("stand still", "stands still", "standing still", "stood still"), ("pause", "pauses", "pausing", "paused"),
               ("look around", "looks around", "looking around", "looked around")],
    "walks": [("walk", "walks", "walking", "walked"), ("walk", "walks", "walking", "walked"), ("stroll", "strolls", "strolling", "strolled"),
              ("wander", "wanders", "wandering", "wandered"), ("march", "marches", "marching", "marched"), ("hike", "hikes", "hiking", "hiked"),
              ("go for a walk", "goes for a walk", "going for a walk", "went for a walk"), ("step", "steps", "stepping", "stepped")],
    "runs": [("run", "runs", "running", "ran"), ("run", "runs", "running", "ran"), ("race", "races", "racing", "raced"),
             ("dash", "dashes", "dashing", "dashed"), ("sprint", "sprints", "sprinting", "sprinted"), ("jog", "jogs", "jogging", "jogged"),
             ("rush", "rushes", "rushing", "rushed"), ("hurry", "hurries", "hurrying", "hurried")],
    "jumps": [("jump", "jumps", "jumping", "jumped"), ("jump", "jumps", "jumping", "jumped"), ("hop", "hops", "hopping", "hopped"),
              ("leap", "leaps", "leaping", "leapt"), ("bounce", "bounces", "bouncing", "bounced"), ("skip", "skips", "skipping", "skipped"),
              ("jump up and down", "jumps up and down", "jumping up and down", "jumped up and down")],
    "spins": [("spin", "spins", "spinning", "spun"), ("spin", "spins", "spinning", "spun"), ("twirl", "twirls", "twirling", "twirled"),
              ("whirl", "whirls", "whirling", "whirled"), ("turn around", "turns around", "turning around", "turned around"),
              ("rotate", "rotates", "rotating", "rotated"), ("spin around", "spins around", "spinning around", "spun around")],
    "flies": [("fly", "flies", "flying", "flew"), ("fly", "flies", "flying", "flew"), ("soar", "soars", "soaring", "soared"),
              ("glide", "glides", "gliding", "glided"), ("hover", "hovers", "hovering", "hovered"), ("fly away", "flies away", "flying away", "flew away")],
    "swims": [("swim", "swims", "swimming", "swam"), ("swim", "swims", "swimming", "swam"), ("paddle", "paddles", "paddling", "paddled"),
              ("swim around", "swims around", "swimming around", "swam around"), ("go for a swim", "goes for a swim", "going for a swim", "went for a swim")],
    "dances": [("dance", "dances", "dancing", "danced"), ("dance", "dances", "dancing", "danced"), ("sway", "sways", "swaying", "swayed"),
               ("boogie", "boogies", "boogieing", "boogied"), ("dance around", "dances around", "dancing around", "danced around"),
               ("waltz", "waltzes", "waltzing", "waltzed")],
    "sleeps": [("sleep", "sleeps", "sleeping", "slept"), ("sleep", "sleeps", "sleeping", "slept"), ("nap", "naps", "napping", "napped"),
               ("take a nap", "takes a nap", "taking a nap", "took a nap"), ("snore", "snores", "snoring", "snored"), ("doze", "dozes", "dozing", "dozed"),
               ("fall asleep", "falls asleep", "falling asleep", "fell asleep"), ("rest", "rests", "resting", "rested")],
}
VERBS = {action["id"]: VERBS[action["id"]] for action in WORLD["actions"] if action["id"] in VERBS}
# Verbs before the partner's name; then verbs for both together.
TOGETHER = {
    "talks": ([("talk to", "talks to", "talking to", "talked to"), ("talk with", "talks with", "talking with", "talked with"),
               ("chat with", "chats with", "chatting with", "chatted with"),
               ("speak to", "speaks to", "speaking to", "spoke to"), ("speak with", "speaks with", "speaking with", "spoke with"),
               ("have a chat with", "has a chat with", "having a chat with", "had a chat with")],
              [("talk", "talks", "talking", "talked"), ("chat", "chats", "chatting", "chatted"),
               ("talk to each other", "talks to each other", "talking to each other", "talked to each other"),
               ("have a chat", "has a chat", "having a chat", "had a chat")]),
    "chases": ([("chase", "chases", "chasing", "chased"), ("chase", "chases", "chasing", "chased"), ("run after", "runs after", "running after", "ran after"),
                ("chase after", "chases after", "chasing after", "chased after"), ("race after", "races after", "racing after", "raced after")], []),
}
TOGETHER = {action["id"]: TOGETHER[action["id"]] for action in WORLD["actions"] if action["id"] in TOGETHER}
ALONE = {"talks": ("stands", [("talk", "talks", "talking", "talked"), ("chat", "chats", "chatting", "chatted")]),
         "chases": ("runs", [("chase", "chases", "chasing", "chased")])}

UNKNOWN_VERBS = [tuple(v.split("/")) for v in """
eat/eats/eating/ate climb/climbs/climbing/climbed dig/digs/digging/dug
cook/cooks/cooking/cooked paint/paints/painting/painted fight/fights/fighting/fought cry/cries/crying/cried laugh/laughs/laughing/laughed
drive/drives/driving/drove fish/fishes/fishing/fished sail/sails/sailing/sailed crawl/crawls/crawling/crawled hide/hides/hiding/hid fall/falls/falling/fell
roll/rolls/rolling/rolled knit/knits/knitting/knitted bake/bakes/baking/baked vanish/vanishes/vanishing/vanished clap/claps/clapping/clapped
kneel/kneels/kneeling/knelt read/reads/reading/read sit/sits/sitting/sat sneeze/sneezes/sneezing/sneezed grow/grows/growing/grew shrink/shrinks/shrinking/shrank
disappear/disappears/disappearing/disappeared wave/waves/waving/waved juggle/juggles/juggling/juggled ski/skis/skiing/skied surf/surfs/surfing/surfed
dive/dives/diving/dived write/writes/writing/wrote play/plays/playing/played work/works/working/worked explode/explodes/exploding/exploded
melt/melts/melting/melted whistle/whistles/whistling/whistled cartwheel/cartwheels/cartwheeling/cartwheeled""".split()]
if "swims" not in VERBS:
    UNKNOWN_VERBS += [tuple(v.split("/")) for v in "dance/dances/dancing/danced swim/swims/swimming/swam sleep/sleeps/sleeping/slept".split()]
OBJECTS = {"eat": ["a pizza", "some bread", "honey", "a sandwich", "soup"], "drive": ["a truck", "a red bus", "a tractor"],
           "play": ["the guitar", "chess", "the drums", "the piano"],
           "read": ["a book", "the newspaper", "a letter"], "paint": ["a picture", "the wall"], "cook": ["soup", "dinner"],
           "juggle": ["plates", "three oranges"],
           "write": ["a letter"], "climb": ["a ladder", "a rope"], "dig": ["a hole"], "bake": ["bread", "cookies"], "knit": ["a scarf"]}

# Names of actors in addition to those in world.json.
ACTOR_WORDS = {"fox": ["vixen"], "chick": ["baby chicken"], "cat": ["kitty"], "dog": ["doggy", "pup"], "rabbit": ["hare"], "frog": ["toad"],
               "dinosaur": ["dino"], "bear": ["bear cub"],
               "lion": ["lion cub"], "boy": ["lad"], "pig": ["piggy"], "turtle": ["sea turtle"]}
ACTOR_WORDS = {a["id"]: a["words"] + (ACTOR_WORDS.get(a["id"], []) if "props" in WORLD else []) for a in WORLD["actors"]}
PROP_WORDS = {"football": ["ball", "soccer ball"], "balloon": ["party balloon"], "boat": ["sailing boat", "sailboat"], "car": ["automobile"],
              "house": ["cottage", "hut"],
              "mushroom": ["toadstool"], "cake": ["birthday cake"], "gift": ["present", "parcel"]}
PROP_WORDS = {p["id"]: p["words"] * 2 + PROP_WORDS.get(p["id"], []) for p in WORLD.get("props", []) if "words" in p}
# Moods: adjectives before a noun, adjectives used only after "is", adverbs.
MOODS = {"calm": (["calm", "quiet", "peaceful", "relaxed"], [], ["calmly"]),
         "happy": (["happy", "glad", "cheerful", "joyful", "merry"], ["delighted"], ["happily", "cheerfully", "merrily"]),
         "sad": (["sad", "unhappy", "lonely", "gloomy", "tearful"], ["heartbroken"], ["sadly"]),
         "angry": (["angry", "cross", "furious", "grumpy"], ["mad"], ["angrily", "furiously"]),
         "afraid": (["scared", "frightened", "fearful", "terrified"], ["afraid", "afraid"], ["fearfully"]),
         "surprised": (["surprised", "astonished", "amazed"], [], ["in surprise"])}
MOODS = {m["id"]: MOODS[m["id"]] for m in WORLD.get("moods", []) if isinstance(m, dict)}
# Weathers: (before, the word itself, after), where "DAY" stands for a noun of the time; then whole sentences with | around the word itself.
WEATHERS = {"clear": ([("under a ", "clear sky", ""), ("in ", "good weather", ""), ("in ", "fine weather", "")],
                      ["The |sky is clear|.", "The |weather is fine|."]),
            "rain": ([("in the ", "rain", ""), ("in the ", "rain", ""), ("in the ", "rain", ""), ("in the pouring ", "rain", ""), ("in heavy ", "rain", ""),
                      ("while it is ", "raining", ""),
                      ("while it ", "rains", ""), ("on a ", "rainy", " DAY"), ("on a ", "rainy", " DAY"), ("in ", "rainy weather", ""),
                      ("during a ", "rain shower", "")],
                     ["It |rains|.", "It is |raining|.", "It's |raining|.", "|Rain| is falling.", "There is |rain|.", "It is a |rainy| day.",
                      "|Rain| falls from the sky."]),
            "snow": ([("in the ", "snowfall", ""), ("in the falling ", "snow", ""), ("in heavy ", "snowfall", ""), ("while it is ", "snowing", ""),
                      ("while it ", "snows", ""),
                      ("on a ", "snowy", " DAY"), ("on a ", "snowy", " DAY"), ("in ", "snowy weather", ""), ("as ", "snow", " falls")],
                     ["It |snows|.", "It is |snowing|.", "It's |snowing|.", "|Snow| is falling.", "It is a |snowy| day.", "|Snowflakes| fall."])}
WEATHERS = {w["id"]: WEATHERS[w["id"]] for w in WORLD.get("weathers", []) if isinstance(w, dict)}
DAY_NOUNS = {"day": ["day", "day", "morning", "afternoon"], "dusk": ["evening"], "night": ["night"]}

PLACES = {  # nouns, prepositions; `Writer.place` adds the article
    "forest": (["forest", "forest", "forest", "woods", "woods", "wood", "woodland", "green forest", "deep forest", "big forest", "old forest", "quiet woods"],
               ["in", "in", "through", "through", "into", "across"]),
    "beach": (["beach", "beach", "beach", "seaside", "shore", "coast", "sandy beach", "sunny beach", "seashore", "sand"],
              ["on", "on", "at", "along", "across"]),
    "desert": (["desert", "desert", "desert", "dunes", "dry desert", "hot desert", "sand dunes", "sahara"], ["in", "in", "through", "across"]),
    "snow": (["snow", "snow", "snow", "snowy mountains", "mountains", "snowy hills", "white snow", "snowy landscape", "icy mountains"],
             ["in", "in", "through", "across"]),
    "city": (["city", "city", "city", "town", "street", "city street", "big city", "busy city", "streets", "village street"],
             ["in", "in", "through", "across", "around"]),
    "moon": (["moon", "moon", "moon", "moon surface", "lunar plain", "surface of the moon", "grey moon", "lunar surface"], ["on", "on", "across", "over"]),
    "meadow": (["meadow", "meadow", "meadow", "field of flowers", "flowery meadow", "green meadow", "field", "grassy field", "flower meadow"],
               ["in", "in", "on", "through", "across"]),
    "castle": (["castle", "castle", "castle", "old castle", "big castle", "royal castle", "palace", "fortress"],
               ["in", "at", "in front of", "near", "by", "inside"]),
    "room": (["room", "room", "room", "bedroom", "cosy room", "living room", "small room", "playroom"], ["in", "in", "inside", "around"]),
    "underwater": (["ocean", "sea", "deep sea", "ocean floor", "bottom of the sea", "blue ocean", "deep ocean"],
                   ["in", "at the bottom of", "under", "deep in"]),
}
PLACES = {p["id"]: PLACES[p["id"]] for p in WORLD["places"] if p["id"] in PLACES}
WHOLE_PLACES = {"underwater": ["underwater", "underwater", "underwater", "under water", "under the sea", "under the water", "below the waves",
                               "on the sea floor"], "room": ["indoors", "at home"]}
UNKNOWN_PLACES = """kitchen garden school library cave river lake park farm jungle space spaceship volcano island museum hospital bridge train
airport stadium office cellar tower temple market shop restaurant playground zoo swamp canyon valley sky cloud hotel theatre factory laboratory dungeon barn
classroom bathroom submarine harbour cinema airplane bus church cathedral bakery circus attic garage tunnel tent igloo treehouse rooftop waterfall""".split()
UNKNOWN_PLACES += ["dark cave", "small kitchen", "football pitch", "space station", "swimming pool", "train station", "amusement park", "ice cream shop",
                   "crystal cave"]
if "castle" not in PLACES:
    UNKNOWN_PLACES += ["castle", "meadow", "bedroom", "ocean", "underwater", "palace", "old castle", "living room"]

TIMES = {
    "night": ["at night", "at night", "at night", "by night", "at midnight", "in the dark", "after dark", "in the moonlight", "under the stars", "in the night",
              "late at night",
              "on a dark night", "on a starry night", "during the night", "by moonlight", "on a moonlit night"],
    "day": ["by day", "by day", "in the daytime", "in daylight", "at noon", "in the morning", "in the afternoon", "in the sunshine", "on a sunny day",
            "under the sun", "during the day",
            "in broad daylight", "on a bright day"],
    "dusk": ["at dusk", "at dusk", "at dusk", "at sunset", "at sunset", "in the evening", "in the evening", "at twilight", "as the sun goes down",
             "in the twilight", "at nightfall", "by dusk"],
}
TIMES = {t: TIMES[t] for t in WORLD["times"] if t in TIMES}
TIME_SENTENCES = {"night": ["It is night.", "It is dark.", "It's night.", "Night.", "It is late at night.", "The stars are out.", "It was night."],
                  "day": ["It is day.", "It's daytime.", "Day.", "The sun is shining.", "It is a sunny day.", "It was day."],
                  "dusk": ["It is dusk.", "It is evening.", "The sun is setting.", "The sun goes down.", "Dusk.", "It was evening.", "Evening."]}
UNKNOWN_TIMES = [("at ", "dawn"), ("at ", "sunrise"), ("in ", "winter"), ("in ", "autumn"), ("in ", "spring"), ("at ", "daybreak"), ("on ", "Monday")]
if "dusk" not in TIMES:
    UNKNOWN_TIMES += [("at ", "sunset"), ("at ", "dusk"), ("at ", "twilight")]

UNKNOWN_ACTORS = """horse cow tiger wolf mouse bird duck eagle monkey snake shark fish dolphin octopus bee spider ant butterfly unicorn
wizard witch knight princess king queen pirate ninja astronaut farmer doctor teacher man woman child baby grandmother policeman soldier clown cook alien ghost
vampire zombie monster giant elf fairy mermaid camel kangaroo zebra giraffe hippo rhino crocodile lizard goat sheep donkey squirrel hedgehog badger deer moose
panda koala sloth bat raven swan goose parrot flamingo seal walrus otter beaver hamster snail worm ladybug dwarf troll mummy superhero detective singer dancer
cowboy sailor snowman lobster ostrich peacock""".split()
UNKNOWN_ACTORS += ["old man", "young woman", "tall man", "t-rex", "flying saucer", "ice queen"]
UNKNOWN_ACTORS += [w for w in "dragon cat dog elephant lion bear rabbit frog owl dinosaur girl boy".split() if w not in ACTOR_WORDS]
PROPS = """umbrella book lamp guitar drum sword kite bicycle train rocket cup candle chair box key map clock crown bell basket hat table sofa violin
bucket flag drone phone camera ladder rope lantern shield teapot trumpet skateboard scooter backpack pizza carrot banana cheese rose helicopter tractor broom
pillow""".split()
PROPS += ["treasure chest", "magic wand", "fishing rod"] + [w for w in "balloon ball boat car tree house star apple cake".split() if not PROP_WORDS]
COLOURS = ["red", "blue", "green", "golden", "purple", "black", "white", "silver", "striped", "tiny glowing", "huge", "transparent", "spotted"]
WEATHER = [("in a ", "storm"), ("during a ", "thunderstorm"), ("in the ", "fog"), ("in heavy ", "wind"), ("under a ", "rainbow"), ("in the ", "mist"),
           ("on a ", "foggy"), ("on a ", "stormy"),
           ("in the ", "hail"), ("on a ", "windy")]
if not WEATHERS:
    WEATHER += [("in the ", "rain"), ("on a ", "rainy"), ("while it is ", "raining"), ("while it is ", "snowing")]
STYLES = [("in ", "watercolor style"), ("in ", "3D"), ("in ", "anime style"), ("in ", "slow motion"), ("with ", "piano music"), ("with ", "jazz music"),
          ("as a ", "pencil drawing"),
          ("in ", "black and white"), ("with ", "sad music"), ("like a ", "documentary"), ("in ", "pixel art"), ("with ", "explosions"), ("with ", "subtitles")]
ADJECTIVES = ["little", "small", "brave", "young", "old", "clever", "curious", "cute", "friendly", "funny", "big", "sleepy", "lovely", "tired", "nice", "kind",
              "proud", "tiny", "fluffy", "sweet",
              "wise", "silly", "busy", "beautiful"]
ADVERBS = ["quickly", "slowly", "again", "alone", "fast", "for a while", "gently", "proudly", "all day long", "for a long time", "very fast", "slowly",
           "once more"]
OPENERS = ["Show me ", "Please make a film about ", "A short film about ", "Make a video of ", "I want to see ", "A film of ", "Create a cartoon of ",
           "A story about ", "Can you show ",
           "Please show ", "A scene with ", "Imagine ", "Video: ", "Make a movie with ", "Film: ", "Draw ", "Generate ", "Let's see ", "tell a story about ",
           "A clip of ", "A cartoon with "]
STORY_OPENERS = ["Once upon a time ", "One day ", "Scene: ", "Story: ", "In this film ", "Here is my story: ", "The story: ", "There we see how ",
                 "I would like to see a film in which ", "Could you make a film where ",
                 "Can you make one where ", "Make a film in which ", "I want a video where ", "ok so ", "So ", "Hey, ", "How about this: "]
CONNECTIVES = ["Then ", "Then ", "Then ", "After that, ", "Next, ", "Finally, ", "And then ", "Later, ", "Now ", "Afterwards ", "Suddenly ", "", "", ""]
SAY = [("say", "says", "saying", "said")] * 6 + [("shout", "shouts", "shouting", "shouted"), ("whisper", "whispers", "whispering", "whispered"),
                                                 ("call", "calls", "calling", "called"),
       ("ask", "asks", "asking", "asked"), ("sing", "sings", "singing", "sang"), ("cry", "cries", "crying", "cried"), ("speak", "speaks", "speaking", "spoke"),
       ("answer", "answers", "answering", "answered"), ("yell", "yells", "yelling", "yelled"), ("reply", "replies", "replying", "replied")]
VOICES = {"rms": ["in a man's voice", "in a deep voice", "with a man's voice", "in a male voice", "with a deep voice", "in a calm man's voice"],
          "slt": ["in a woman's voice", "in a female voice", "with a woman's voice", "in a girl's voice", "in a clear woman's voice", "in a high voice"],
          "awb": ["in a Scottish voice", "with a Scottish accent", "in a warm voice", "in a warm man's voice", "with a Scottish voice",
                  "in a Scottish man's voice"],
          "kal": ["in a robot voice", "in a robotic voice", "in a plain voice", "in a machine's voice", "in a mechanical voice", "like a machine"]}
VOICES = {v["id"]: VOICES[v["id"]] for v in WORLD["voices"] if v["id"] in VOICES}
SPEECHES = """hello|hello moon|good night|good morning|hi there|hello world|where are you|I am here|come here|look at me|what a day|I love you|thank you|oh no
help me|follow me|good bye|bye bye
I am happy|I am lost|it is cold|it is so hot|how are you|nice to meet you|I can fly|the sea is blue|I want to go home|who is there|wait for me|let us go
I am the king|happy birthday|hooray|yes|no
wow|what is this|where is my friend|I see a star|the moon is bright|one two three|ready steady go|I am a fox|I like the forest|good night moon|see you tomorrow
stop|I did it|we are free|let's play
don't worry|it's late|I'm hungry|welcome to the city|this is my beach|the desert is dry|snow is white|to the moon|what's up|happy new year|I'll be back
never give up|be brave|I am not a robot""".replace("\n", "|").split("|")

# Everyday sentences; words in braces are slots (SLOTS, Writer.slot).
SENTENCES = """I have lost my {thing}|where did you put my {thing}|can you see the {thing} over there|this {thing} is {adj}|I think the {thing} is {adj}
what a {adj} {thing}|my {thing} is not {adj}
do you want some {food}|I would like some {food} please|the {food} tastes {adj}|we had {food} for dinner|who ate my {food}|give me the {food}
there is no {food} left|I could eat {n} plates of {food}
it is {clock} already|see you at {clock}|the train leaves at {clock}|wake me up at {clock}|it is only {clock}|we are {n} minutes late|dinner is at {clock}
I was born in {year}|it was in {year}
that costs {money}|I paid {money} for it|only {money} left|you owe me {money}|can you lend me {money}|I found {money} on the ground|it is worth {money}
a ticket is {money}
my name is {name}|hello {name}|good morning {name}|nice to meet you, {name}|have you seen {name}|{name}, wait for me|I am {name} and I am {adj}
happy birthday, {name}|this is my friend {name}|thank you, {name}
{name} is {n} years old|I am {n} years old|I have {n} brothers|count to {n}|room number {n}|I can jump {n} times|{n} plus {n} is {n}|I walked {n} miles today
my number is {n}|number {n} is the best
we leave on {day}|see you on {day}|today is {day}|I never work on {day}|it will rain on {day}|is it {day} today|every {day} I {verb}
next {day} we {verb} together
I want to {verb}|I cannot {verb}|please do not {verb}|let us {verb} together|we should {verb} now|can you {verb}|I like to {verb} at night
why do you {verb} so much|it is time to {verb}|I always {verb} before breakfast
are you {adj}|I feel {adj} today|you look {adj}|why are you so {adj}|everything is {adj}|it is so {adj} here|that was {adj}|I have never been so {adj}
what makes you {adj}|nobody is {adj} today
did you hear that|what was that noise|I have an idea|do you believe me|I knew it|it was not me|that is not fair|you are my best friend|I missed you so much
please come back|I will help you|follow me quickly
do not be afraid|look up at the sky|be careful, it is {adj}|somebody is coming|we have to hide|it is too late now|I forgot everything|tell me a story
once upon a time there was a {thing}|the end
can I come with you|where are we going|how far is it|are we there yet|I am so tired|my feet hurt|I need a rest|let us go home|this is the way|we are lost
I know a shortcut|turn left at the {thing}
what is your favourite {thing}|my favourite colour is {colour}|the sky is {colour}|I painted it {colour}|do you like my {colour} {thing}
a {colour} {thing} for you|I only wear {colour}|it used to be {colour}
I am sorry|never mind|of course|no problem|well done|good luck|keep going|hurry up|slow down|be quiet|listen to me|sit down please|stand back|watch out
give it back|leave me alone|come in|go away|not again|at last
how was your day|what did you do on {day}|have you got a minute|the weather is {adj}|it is raining again|winter is coming|I love summer|the sun is in my eyes
my {thing} is broken|somebody stole my {thing}
I will call you at {clock}|meet me by the {thing}|bring your {thing} on {day}|{n} is a big number|I counted {n} of them|there are {n} {thing}s here
I need {n} more|you have {n} messages|only {n} days to go|{n} percent
one for you and one for me|ready or not, here I come|better late than never|practice makes perfect|home is where the heart is|every cloud has a silver lining
the early bird gets the worm|easy come, easy go
may I have this dance|this music is {adj}|sing it again|I wrote you a letter|read it to me|what does it say|it says {word} {word}|the password is {word}
my code is {n}-{n}|call it {word}|{word} means {word}
to {verb} or not to {verb}|I {verb}, therefore I am|if you {verb} I will {verb} too|you {verb} and I {verb}|nobody told me to {verb}|they {verb} all day
let me {verb} in peace|I dream that I {verb}
who are you|what are you doing here|when do we eat|why not|which one is mine|whose {thing} is this|how do you do|how much is the {thing}
how many {thing}s do you need|where is {name}|who is {name}|where do you live
I live in a {adj} {thing}|there is a {thing} in my soup|the {thing} fell into the {thing}|put the {thing} on the {thing}|is that a {thing} or a {thing}
more {food}, less {food}|first {food}, then {food}
Mr {name} lives next door|Doctor {name} said no|ask {name} about the {thing}|{name} and {name} are here|tell {name} I said hello|{name} told me to {verb}
I am waiting for {name}|{name} has a new {thing}""".replace("\n", "|").split("|")
SLOTS = {
    "thing": """hat shoe key book lamp chair table window door garden kitchen bag coat watch phone spoon bottle pencil umbrella bicycle bus train map letter
    photo guitar piano drum clock mirror blanket pillow carpet
               bucket broom basket ladder hammer ticket newspaper candle box sandwich glove scarf button ribbon kettle camera radio tractor engine wheel tree
               house car boat star balloon apple""".split(),
    "food": """bread cheese soup honey pizza rice pasta cake jam butter salad porridge chocolate pancakes noodles potatoes carrots tea coffee milk juice
    pudding""".split(),
    "adj": """happy sad cold hot warm big small lovely terrible wonderful strange quiet loud empty full broken heavy light soft dirty clean bright dark easy
    difficult hungry thirsty tired busy lazy funny serious
              brave angry perfect delicious sour bitter amazing ridiculous enormous tiny ancient modern dangerous safe lucky""".split(),
    "verb": """dance sing sleep run swim cook read paint fly jump laugh whisper travel dream climb build fish hide play study work drive write listen wait shout
    cry smile think knit skate garden bake walk""".split(),
    "name": """Anna Tom Lucy Peter Maria Oliver Emma Jack Sophie Max Ella Ben Rosa Felix Clara Hugo Nina Oscar Ruby Sam Zoe Leo Alice Henry Molly George Daisy
    Arthur Freya Ivan Yuki Omar Priya Chen Fatima José Zoë
               Smith Brown Taylor Wilson Green Baker""".split(),
    "day": "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split(),
    "colour": "red blue green yellow purple orange pink white black grey brown golden silver".split(),
}
