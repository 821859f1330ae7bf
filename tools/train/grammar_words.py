"""The words that prompts are made of: how people name what the world knows, and what it does not know."""

# Each action of the world: verbs as (base, third person, gerund, past).
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
}

UNKNOWN_VERBS = [tuple(v.split("/")) for v in """
dance/dances/dancing/danced swim/swims/swimming/swam sleep/sleeps/sleeping/slept eat/eats/eating/ate climb/climbs/climbing/climbed dig/digs/digging/dug
cook/cooks/cooking/cooked paint/paints/painting/painted fight/fights/fighting/fought cry/cries/crying/cried laugh/laughs/laughing/laughed
drive/drives/driving/drove fish/fishes/fishing/fished sail/sails/sailing/sailed crawl/crawls/crawling/crawled hide/hides/hiding/hid fall/falls/falling/fell
roll/rolls/rolling/rolled float/floats/floating/floated read/reads/reading/read sit/sits/sitting/sat dream/dreams/dreaming/dreamed sneeze/sneezes/sneezing/sneezed
grow/grows/growing/grew shrink/shrinks/shrinking/shrank disappear/disappears/disappearing/disappeared wave/waves/waving/waved juggle/juggles/juggling/juggled
ski/skis/skiing/skied surf/surfs/surfing/surfed dive/dives/diving/dived write/writes/writing/wrote play/plays/playing/played work/works/working/worked
explode/explodes/exploding/exploded melt/melts/melting/melted whistle/whistles/whistling/whistled cartwheel/cartwheels/cartwheeling/cartwheeled""".split()]
OBJECTS = {"eat": ["an apple", "a pizza", "some cake", "honey", "a sandwich"], "drive": ["a car", "a truck", "a red bus"], "play": ["football", "the guitar", "chess", "the drums"],
           "read": ["a book", "the newspaper"], "paint": ["a picture", "the wall"], "cook": ["soup", "dinner"], "juggle": ["balls", "three apples"],
           "write": ["a letter"], "climb": ["a tree", "a ladder"], "dig": ["a hole"]}

PLACES = {  # nouns, prepositions; an article is put before the noun unless it stands in BARE
    "forest": (["forest", "forest", "forest", "woods", "woods", "wood", "woodland", "green forest", "deep forest", "big forest", "old forest", "quiet woods"], ["in", "in", "through", "through", "into", "across"]),
    "beach": (["beach", "beach", "beach", "seaside", "shore", "coast", "sandy beach", "sunny beach", "seashore", "sand"], ["on", "on", "at", "along", "across"]),
    "desert": (["desert", "desert", "desert", "dunes", "dry desert", "hot desert", "sand dunes", "sahara"], ["in", "in", "through", "across"]),
    "snow": (["snow", "snow", "snow", "snowy mountains", "mountains", "snowy hills", "white snow", "snowy landscape", "icy mountains"], ["in", "in", "through", "across"]),
    "city": (["city", "city", "city", "town", "street", "city street", "big city", "busy city", "streets", "village street"], ["in", "in", "through", "across", "around"]),
    "moon": (["moon", "moon", "moon", "moon surface", "lunar plain", "surface of the moon", "grey moon", "lunar surface"], ["on", "on", "across", "over"]),
}
OF_PLACE = {"forest": "in the Forest", "beach": "on the Beach", "desert": "in the Desert", "snow": "in the Snow", "city": "in the City", "moon": "on the Moon"}
UNKNOWN_PLACES = """castle kitchen garden school library house cave ocean river lake underwater meadow park farm jungle space spaceship volcano island museum hospital bridge train
airport stadium office bedroom cellar tower palace temple market shop restaurant playground zoo swamp canyon valley sky cloud hotel theatre factory laboratory dungeon barn
classroom bathroom submarine harbour cinema airplane bus field church old castle haunted house dark cave small kitchen football pitch living room space station swimming pool""".split()
UNKNOWN_PLACES = UNKNOWN_PLACES[:UNKNOWN_PLACES.index("church") + 1] + ["old castle", "haunted house", "dark cave", "small kitchen", "football pitch", "living room", "space station", "swimming pool"]

TIMES = {
    "night": ["at night", "at night", "at night", "by night", "at midnight", "in the dark", "after dark", "in the moonlight", "under the stars", "in the night", "late at night",
              "on a dark night", "on a starry night", "during the night", "by moonlight", "on a moonlit night"],
    "day": ["by day", "by day", "in the daytime", "in daylight", "at noon", "in the morning", "in the afternoon", "in the sunshine", "on a sunny day", "under the sun", "during the day",
            "in broad daylight", "on a bright day"],
}
TIME_SENTENCES = {"night": ["It is night.", "It is dark.", "It's night.", "Night.", "It is late at night.", "The stars are out.", "It was night."],
                  "day": ["It is day.", "It's daytime.", "Day.", "The sun is shining.", "It is a sunny day.", "It was day."]}
UNKNOWN_TIMES = [("at ", "sunset"), ("at ", "dawn"), ("at ", "dusk"), ("at ", "sunrise"), ("in ", "winter"), ("in ", "autumn"), ("at ", "twilight"), ("in ", "spring")]

UNKNOWN_ACTORS = """dragon cat dog horse cow elephant lion tiger bear wolf rabbit mouse frog bird duck owl eagle monkey snake shark fish dolphin octopus bee spider ant butterfly unicorn
wizard witch knight princess king queen pirate ninja astronaut farmer doctor teacher boy girl man woman child baby grandmother policeman soldier clown cook alien ghost vampire zombie
monster giant elf fairy mermaid dinosaur camel kangaroo zebra giraffe hippo rhino crocodile lizard goat sheep donkey squirrel hedgehog badger deer moose panda koala sloth bat raven swan
goose parrot flamingo seal walrus otter beaver hamster snail worm ladybug dwarf troll mummy superhero detective singer dancer cowboy sailor snowman teddy bear black cat old man young
woman little girl polar bear white rabbit t-rex""".split()
UNKNOWN_ACTORS = UNKNOWN_ACTORS[:UNKNOWN_ACTORS.index("snowman") + 1] + ["teddy bear", "black cat", "old man", "young woman", "little girl", "polar bear", "white rabbit", "t-rex"]
PROPS = """balloon ball boat car tree house star apple cake hat umbrella book lamp guitar drum sword kite bicycle train rocket flower cup candle chair box key map clock crown bell basket
bucket flag drone phone camera ladder rope lantern shield teapot trumpet violin skateboard scooter backpack treasure chest""".split()[:-1]
COLOURS = ["red", "blue", "green", "golden", "purple", "black", "white", "silver", "striped", "tiny glowing", "huge", "transparent", "spotted"]
WEATHER = [("in the ", "rain"), ("in a ", "storm"), ("during a ", "thunderstorm"), ("in the ", "fog"), ("on a ", "rainy"), ("in heavy ", "wind"), ("under a ", "rainbow"), ("in the ", "mist"), ("on a ", "foggy"),
           ("while it is ", "raining"), ("while it is ", "snowing")]
STYLES = [("in ", "watercolor style"), ("in ", "3D"), ("in ", "anime style"), ("in ", "slow motion"), ("with ", "piano music"), ("with ", "jazz music"), ("as a ", "pencil drawing"),
          ("in ", "black and white"), ("with ", "sad music"), ("like a ", "documentary"), ("in ", "pixel art"), ("with ", "explosions"), ("with ", "subtitles")]
ADJECTIVES = ["little", "small", "happy", "brave", "young", "old", "lonely", "clever", "curious", "cute", "friendly", "funny", "big", "sleepy", "lovely", "sad", "tired", "nice", "kind", "proud"]
ADVERBS = ["quickly", "slowly", "happily", "again", "alone", "quietly", "fast", "for a while", "gently", "proudly", "around", "all day long", "cheerfully", "merrily"]
OPENERS = ["Show me ", "Please make a film about ", "A short film about ", "Make a video of ", "I want to see ", "A film of ", "Create a cartoon of ", "A story about ", "Can you show ",
           "Please show ", "A scene with ", "Imagine ", "Video: ", "Make a movie with ", "Film: ", "Draw ", "Generate ", "Let's see ", "tell a story about ", "A clip of ", "A cartoon with "]
STORY_OPENERS = ["Once upon a time ", "One day ", "Scene: ", "Story: ", "In this film ", "Here is my story: ", "The story: ", "There we see how "]
CONNECTIVES = ["Then ", "Then ", "Then ", "After that, ", "Next, ", "Finally, ", "And then ", "Later, ", "Now ", "Afterwards ", "Suddenly ", "", "", ""]
SAY = [("say", "says", "saying", "said")] * 6 + [("shout", "shouts", "shouting", "shouted"), ("whisper", "whispers", "whispering", "whispered"), ("call", "calls", "calling", "called"),
       ("ask", "asks", "asking", "asked"), ("sing", "sings", "singing", "sang"), ("cry", "cries", "crying", "cried"), ("speak", "speaks", "speaking", "spoke"),
       ("answer", "answers", "answering", "answered"), ("yell", "yells", "yelling", "yelled"), ("reply", "replies", "replying", "replied")]
VOICES = {"rms": ["in a man's voice", "in a deep voice", "with a man's voice", "in a male voice", "with a deep voice", "in a calm man's voice"],
          "slt": ["in a woman's voice", "in a female voice", "with a woman's voice", "in a girl's voice", "in a clear woman's voice", "in a high voice"]}
SPEECHES = """hello|hello moon|good night|good morning|hi there|hello world|where are you|I am here|come here|look at me|what a day|I love you|thank you|oh no|help me|follow me|good bye|bye bye
I am happy|I am lost|it is cold|it is so hot|how are you|nice to meet you|I can fly|the sea is blue|I want to go home|who is there|wait for me|let us go|I am the king|happy birthday|hooray|yes|no
wow|what is this|where is my friend|I see a star|the moon is bright|one two three|ready steady go|I am a fox|I like the forest|good night moon|see you tomorrow|stop|I did it|we are free|let's play
don't worry|it's late|I'm hungry|welcome to the city|this is my beach|the desert is dry|snow is white|to the moon|what's up|happy new year|I'll be back|never give up|be brave|I am not a robot""".replace("\n", "|").split("|")
