// The tables of synonyms, and the lexicon that a world's names and these tables make.
#include "planner/oracle/words.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "planner/text/names.h"
#include "planner/text/spans.h"
#include "planner/text/text.h"

namespace fabula::oracle {

// The words of an id, separated by |.
struct Synonyms {
  const char* id;
  const char* words;
};

namespace {

// Synonyms for the ids that worlds have; used if the world has the id. Verbs: base/third person/gerund/past.
constexpr Synonyms actor_words[] = {
    {"fox", "vixen|vixens"},
    {"chick", "baby chicken|baby chick"},
    {"pig", "piggy"},
    {"turtle", "sea turtle"},
    {"cat", "cats|kitty|kitties|kittens"},
    {"dog", "dogs|doggy|pup|pups|hound|hounds|puppies"},
    {"rabbit", "hare|hares|bunnies"},
    {"bear", "teddy bear|teddy|teddies|bear cub"},
    {"frog", "toad|toads"},
    {"lion", "lion cub|lioness"},
    {"elephant", "elephants"},
    {"dinosaur", "dino|dinos|brontosaurus|long-necked dinosaur"},
    {"girl", "schoolgirl|schoolgirls|little girl|daughter|lass"},
    {"boy", "schoolboy|schoolboys|little boy|son|lad"},
};

constexpr Synonyms place_words[] = {
    {"forest", "forest|woods|wood|woodland"},
    {"beach", "beach|seaside|shore|coast|seashore|sand|by the sea|tide"},
    {"desert", "desert|dune|dunes|sand dunes|sahara"},
    {"snow",
     "snow|snowy mountains|mountains|snowy hills|snowy landscape|icy mountains|ice|iceberg|glacier|ice floe|north pole|south "
     "pole|arctic|antarctica"},
    {"city", "city|town|street|streets|village street|city street"},
    {"moon", "moon|moon surface|lunar plain|lunar surface|surface of the moon"},
    {"meadow",
     "meadow|meadows|field|fields|grass|grassland|grassy field|green field|field of flowers|flower field|flower meadow|flowery "
     "meadow|green meadow|flowery field|lawn|pasture"},
    {"castle", "castle|castles|palace|fortress"},
    {"room", "room|rooms|bedroom|living room|children's room|cosy room|cozy room|indoors|at home|nursery|playroom"},
    {"underwater",
     "underwater|under water|under the water|below the water|beneath the water|under the sea|below the sea|beneath the sea|in the sea|into "
     "the sea|"
     "in the ocean|into the ocean|under the ocean|ocean|bottom of the sea|bottom of the ocean|bottom of the blue sea|sea floor|ocean "
     "floor|floor of the sea|"
     "sea|blue ocean|deep ocean|on the sea floor|seabed|sea bed|deep sea|deep blue sea|under the waves|below the waves|beneath the "
     "waves|coral reef|reef"},
};

constexpr Synonyms time_words[] = {
    {"night",
     "night|midnight|nighttime|in the dark|after dark|is dark|was dark|dark night|moonlight|moonlit|under the moon|under the stars|the "
     "stars|stars are out|starry|nite|night falls|night fell|under the dark|gets dark|it is dark|darkness falls|past midnight"},
    {"day",
     "day|daytime|daylight|noon|midday|morning|afternoon|sunshine|under the sun|sun is shining|sun shines|sun is high|sun is up|the sun"},
    {"dawn", "dawn|sunrise|daybreak|early morning|early in the morning"},
    {"dusk", "dusk|sunset|twilight|evening|sundown|nightfall|sun sets|sun is setting|setting sun|sun goes down|sun is going down"},
};

constexpr Synonyms weather_words[] = {
    {"clear",
     "clear sky|clear skies|blue sky|blue skies|sky is clear|sky is blue|good weather|fine weather|nice weather|clear weather|sunny "
     "weather|dry weather|weather is fine|"
     "weather is good|weather is clear|rain stops|rain has stopped|stops raining|snow stops|stops snowing|snowfall stops"},
    {"rain",
     "rain|rains|raining|rained|rainy|rainfall|rainy weather|wet weather|weather is rainy|rain falls|rain is falling|falling rain|heavy "
     "rain|rain pours|pouring rain|"
     "raindrops|drizzle|drizzles|rain shower|starts to rain|begins to rain|starts raining|begins raining"},
    {"snow",
     "snows|snowing|snowed|snowy|snowfall|snowy weather|weather is snowy|snow falls|snow is falling|falling snow|snowflakes|snowflakes "
     "fall|starts to snow|begins to snow|"
     "starts snowing|begins snowing"},
};

constexpr Synonyms mood_words[] = {
    {"calm", "calm|quiet|relaxed|peaceful|calmly"},
    {"happy", "happy|glad|cheerful|joyful|merry|delighted|jolly|smiling|pleased|joyous|happily|cheerfully|merrily|joyfully"},
    {"sad", "sad|unhappy|lonely|gloomy|sorrowful|miserable|upset|tearful|heartbroken|sadly"},
    {"angry", "angry|cross|furious|mad|grumpy|annoyed|enraged|angrily|furiously"},
    {"afraid", "afraid|scared|frightened|fearful|terrified|anxious|fearfully"},
    {"surprised", "surprised|astonished|amazed|startled|stunned|shocked|in surprise"},
};
// Before a mood they mean "is".
constexpr std::string_view mood_verbs =
    "become/becomes/becoming/became feel/feels/feeling/felt seem/seems/seeming/seemed get/gets/getting/got grow/grows/growing/grew "
    "remain/remains/remaining/remained";

constexpr Synonyms prop_words[] = {
    {"football", "football|footballs|ball|balls|soccer ball"},
    {"balloon", "balloon|balloons|party balloon|hot air balloon"},
    {"apple", "apple|apples"},
    {"star", "star|stars|golden star"},
    {"boat", "boat|boats|sailing boat|sailboat|sailing ship|ship|ships"},
    {"car", "car|cars|little car|toy car|race car|automobile"},
    {"house", "house|houses|small house|little house|cottage|hut|cabin"},
    {"tree", "tree|trees|round tree|apple tree|oak tree|oak|pine tree|fir tree|christmas tree"},
    {"sunflower", "sunflower|sunflowers|flower|flowers"},
    {"mushroom", "mushroom|mushrooms|toadstool|toadstools"},
    {"cake", "cake|cakes|birthday cake"},
    {"gift", "gift|gifts|gift box|present|presents|birthday present|wrapped gift|parcel"},
};

constexpr Synonyms voice_words[] = {
    {"awb", "scottish man's voice|scottish voice|scottish accent|warm voice|warm man's voice"},
    {"kal",
     "plain voice|plain man's voice|robot voice|robot's voice|robotic voice|machine voice|machine's voice|mechanical voice|like a "
     "machine|like a robot"},
};

constexpr Synonyms action_verbs[] = {
    {"sleeps",
     "sleep/sleeps/sleeping/slept nap/naps/napping/napped snooze/snoozes/snoozing/snoozed doze/dozes/dozing/dozed "
     "snore/snores/snoring/snored "
     "slumber/slumbers/slumbering/slumbered rest/rests/resting/rested"},
    {"stands",
     "stand/stands/standing/stood wait/waits/waiting/waited stay/stays/staying/stayed pause/pauses/pausing/paused "
     "rest/rests/resting/rested linger/lingers/lingering/lingered stop/stops/stopping/stopped watch/watches/watching/watched"},
    {"walks",
     "walk/walks/walking/walked stroll/strolls/strolling/strolled wander/wanders/wandering/wandered march/marches/marching/marched "
     "hike/hikes/hiking/hiked "
     "step/steps/stepping/stepped stride/strides/striding/strode"},
    {"runs",
     "run/runs/running/ran race/races/racing/raced dash/dashes/dashing/dashed sprint/sprints/sprinting/sprinted jog/jogs/jogging/jogged "
     "rush/rushes/rushing/rushed "
     "hurry/hurries/hurrying/hurried"},
    {"jumps",
     "jump/jumps/jumping/jumped hop/hops/hopping/hopped leap/leaps/leaping/leapt bounce/bounces/bouncing/bounced "
     "skip/skips/skipping/skipped leap/leaps/leaping/leaped"},
    {"spins", "spin/spins/spinning/spun twirl/twirls/twirling/twirled whirl/whirls/whirling/whirled rotate/rotates/rotating/rotated"},
    {"flies", "fly/flies/flying/flew/flys soar/soars/soaring/soared glide/glides/gliding/glided hover/hovers/hovering/hovered"},
    {"swims", "swim/swims/swimming/swam paddle/paddles/paddling/paddled"},
    {"dances", "dance/dances/dancing/danced sway/sways/swaying/swayed waltz/waltzes/waltzing/waltzed boogie/boogies/boogieing/boogied"},
    {"talks", "talk/talks/talking/talked chat/chats/chatting/chatted"},
    {"chases", "chase/chases/chasing/chased pursue/pursues/pursuing/pursued hunt/hunts/hunting/hunted"},
};
constexpr Synonyms action_phrases[] = {
    // verbs with a further word
    {"stands", "stand still|stands still|standing still|stood still|look around|looks around|looking around|looked around"},
    {"walks", "go for a walk|goes for a walk|going for a walk|went for a walk"},
    {"jumps", "jump up and down|jumps up and down|jumping up and down|jumped up and down"},
    {"spins", "turn around|turns around|turning around|turned around|spin around|spins around|spinning around|spun around"},
    {"flies", "fly away|flies away|flying away|flew away"},
    {"swims", "go for a swim|goes for a swim|going for a swim|went for a swim"},
    {"dances", "do a dance|does a dance|doing a dance|did a dance"},
    {"sleeps",
     "asleep|fall asleep|falls asleep|falling asleep|fell asleep|is asleep|are asleep|go to sleep|goes to sleep|going to sleep|went to "
     "sleep|take a nap|takes a nap|"
     "taking a nap|took a nap|have a nap|has a nap"},
    {"talks",
     "have a chat|has a chat|having a chat|had a chat|talk to each other|talks to each other|talking to each other|talked to each other|"
     "talk with each other|chat with each other|talking with each other|speak to each other|speak with each other"},
    {"chases",
     "run after|runs after|running after|ran after|chase after|chases after|chasing after|chased after|race after|races after|racing "
     "after|raced after"},
};

constexpr const char* say_verbs =
    "say/says/saying/said shout/shouts/shouting/shouted whisper/whispers/whispering/whispered call/calls/calling/called "
    "ask/asks/asking/asked sing/sings/singing/sang "
    "cry/cries/crying/cried speak/speaks/speaking/spoke answer/answers/answering/answered yell/yells/yelling/yelled "
    "reply/replies/replying/replied "
    "exclaim/exclaims/exclaiming/exclaimed whine/whines/whining/whined mutter/mutters/muttering/muttered";

struct Phrases {
  Kind kind;
  const char* id;
  const char* words;
};

constexpr Phrases english[] = {
    {Kind::pronoun, "it", "it"},
    {Kind::pronoun, "he", "he|him"},
    {Kind::pronoun, "she", "she"},
    {Kind::pronoun, "they", "they|them|both"},
    {Kind::joint, "", "and|&|plus"},
    {Kind::meanwhile, "", "while|whilst|as well as"},
    {Kind::then, "", "then|after that|and then|next|finally|later|afterwards|suddenly|now|after this|in the end|at last|but then"},
    {Kind::with, "", "with|together with|alongside|beside|next to|near to|towards the|behind|after|carrying|holding|pushing"},
    {Kind::among, "",
     "in|at|through|inside|near|on|across|into|along|around|over|by|under|to|onto|from|during|towards|toward|like|as|for|of|off|about|"
     "above|below|between|thru|ovr|past|against|upon|among|beneath|throughout|outside|up to|out of|down to"},
    {Kind::article, "", "a|an|the|this|that|his|her|its|their|my|some"},
    {Kind::copula, "", "is|are|was|were|be|being|stays there|can|will|does|do|has|have|had"},
    {Kind::shot, "", "shot|shots"},
    {Kind::opener, "",
     "show me|film about|film of|film with|video of|video about|cartoon of|cartoon with|cartoon about|story about|story of|scene "
     "with|scene of|movie with|movie about|movie of|clip of|can you show|"
     "please show|i want to see|how about|imagine|let's see|draw|generate|we see how|there is|there are|there was|there we see|"
     "view of|shot of|once upon a time|one day|story|scene|video|film|movie|"
     "here is my story|in this film|make|please|make it|there's|here's|we see|we saw|you can see|next to them is|next to it is|fade "
     "in|fade out|fade to black|fades in|fades out|fades to black|fade from black|fades from black|cut to|smash cut|dissolve "
     "to|screenplay|ext|int|the end|open on|could you do one where|would like to "
     "see|i'd like|film in which|video in which"},
    {Kind::remove, "",
     "without|without any|remove|no|no more|get rid of|take away|instead of|there is no|there are no|do not show|don't show|but "
     "without|show no|neither|nor|leave out|except"},
    {Kind::deny, "",
     "not|never|nobody|no one|isn't|aren't|wasn't|doesn't|don't|didn't|won't|can't|cannot|does not|do not|did not|will not|is not|are "
     "not|was not|must not|should not"},
    {Kind::until, "", "until|till|up until"},
    {Kind::seconds, "", "second|seconds|sec|secs|minute|minutes"},
    {Kind::add, "", "also|too|add|adding|another|as well"},
    {Kind::silent, "",
     "say nothing|says nothing|in silence|silently|without a word|without words|no dialogue|no line|silent|nobody says anything|nobody "
     "says a "
     "word|nobody speaks|nobody talks|no one speaks|no one talks|nobody says|no words|no speech|no talking|nothing is said|not a word|does "
     "not speak|doesn't speak|do not speak|don't speak|does not say anything|doesn't say anything|does not talk|doesn't talk"},
    {Kind::size, "wide", "wide shot|wide view|wide shot of|wide view of|seen from far away|from far away|far away|long shot"},
    {Kind::size, "close",
     "extreme close-up|close-up|close up|closeup|close view|close-up of|close up of|close view of|close shot|close shot of|seen from close "
     "by|close by"},
    {Kind::size, "medium",
     "medium shot|close-up|close up|closeup|close view|seen from close by|close by|medium shot of|close-up of|close up of|close view of"},
    {Kind::move, "push_in", "camera moves in|zoom in|zooms in|camera pushes in|push in|pushes in|slow zoom in|camera comes closer"},
    {Kind::move, "pull_out", "camera moves out|zoom out|zooms out|camera pulls out|pull out|camera goes back"},
    {Kind::move, "static", "camera stays still|static camera|camera does not move|camera stands still|fixed camera|still camera"},
    {Kind::move, "pan", "camera pans|pan|panning shot|camera pan|slow pan|pan shot"},
    {Kind::move, "tilt", "camera tilts|tilt"},
    {Kind::move, "track", "camera follows|tracking shot|camera tracks|camera moves along|follow shot"},
    {Kind::move, "shake", "camera shakes|shaky camera"},
    {Kind::position, "left", "on the left|on the left side|on the left-hand side|at the left|left side"},
    {Kind::position, "right", "on the right|on the right side|on the right-hand side|at the right|right side"},
    {Kind::position, "center", "in the middle|in the center|in the centre"},
    {Kind::facing, "left",
     "facing left|looking left|looks left|look left|to the left|towards the left|toward the left|faces left|turned left|facing the "
     "left|from right to left"},
    {Kind::facing, "right",
     "facing right|looking right|looks right|look right|to the right|towards the right|toward the right|faces right|turned right|facing "
     "the right|from left to right"},
    {Kind::small, "",
     "at the moon|up|down|out|again|alone|all|all day "
     "long|big|brave|bright|broad|busy|but|calm|camera|center|centre|cheerfully|clear|clever|close|create|curious|cute|dark|deep|dry|far|"
     "fast|female|for a while|friendly|"
     "funny|gently|girl's|go|goes|going|green|grey|happens|happily|happy|heavy|here|high|hot|how|i|icy|just|kind|landscape|late|left|let's|"
     "little|lonely|long|look|looked|looking|looks|lovely|"
     "lunar|male|man's|me|medium|merrily|middle|move|moves|nice|not|old|once|one|place|plain|proud|proudly|push|quickly|quiet|quietly|"
     "right|s|sad|sandy|see|seen|shining|short|"
     "side|sleepy|slow|slowly|small|snowy|static|still|sunny|surface|tell|there|three|time|tired|together|two|upon|use|voice|want|we|went|"
     "tiny|fluffy|sweet|wise|silly|beautiful|cosy|cozy|royal|pouring|each other|"
     "white|wide|words|you|young|zoom|what|which|"
     "facing|faces|turn|turns|turned|turning|it's|very|really|so|change|changes|changed|should|would|instead|bit|even|more|than|other|day "
     "and night|hello|thank|set|put|let|everything|it all|all "
     "this|who|where|when|ok|okay|lol|teh|theres|shes|hes|why|if|us|our|your|you|o|oh|well|as if|that|these|those|"
     "every|each|animal|animals|friend|friends|moment|moments|come|comes|came|coming|having|meet|meets|meeting|met|first|last|only|own|"
     "already|always|soon|ago|before|anyway|could|would|may|might|must|shall|also|perhaps|maybe|somewhere|somehow|something|someone|some|"
     "many|much|few|most|both|such|same|like|likes|get|gets|got|give|gives|take|takes|took|keep|keeps|start|starts|begin|begins|exactly|"
     "about|around|open|close|cut|clip|title|scene|gone|quick|away|by|were|been|because|since|whether|either|yes|until|open|enjoys|enjoy|"
     "show|shows|include|includes"},
};

// Nouns for people and animals that a stand-in plays if the world lacks them. Objects are not among them.
constexpr std::string_view alive =
    " dragon cat dog horse cow elephant lion tiger bear wolf rabbit mouse frog bird duck owl eagle monkey snake shark fish dolphin octopus "
    "bee spider ant butterfly unicorn wizard witch knight princess prince king "
    "queen pirate ninja astronaut farmer doctor teacher boy girl man woman child baby grandmother grandfather policeman soldier clown cook "
    "alien ghost vampire zombie monster giant elf fairy mermaid dinosaur camel "
    "kangaroo zebra giraffe hippo rhino crocodile lizard goat sheep donkey squirrel hedgehog badger deer moose panda koala sloth bat raven "
    "swan goose parrot flamingo seal walrus otter beaver hamster snail worm "
    "ladybug dwarf troll mummy superhero detective singer dancer cowboy sailor snowman t-rex hen rooster puppy kitten calf lamb bull "
    "lobster ostrich peacock ";

// "tumbles" -> "tumble"
std::string base_of(const std::string& third) {
  const auto ends = [&](std::string_view ending) { return third.size() > ending.size() + 1 && third.ends_with(ending); };
  if (ends("ies")) return third.substr(0, third.size() - 3) + "y";
  for (const char* ending : {"shes", "ches", "sses", "xes", "zzes"}) {
    if (ends(ending)) return third.substr(0, third.size() - 2);
  }
  return ends("s") ? third.substr(0, third.size() - 1) : third;
}

std::string plural_of(const std::string& noun) {
  const auto ends = [&](std::string_view ending) { return noun.ends_with(ending); };
  const bool hisses = ends("s") || ends("x") || ends("ch") || ends("sh");
  const bool has_ies = ends("y") && noun.size() > 1 && std::string_view("aeiou").find(noun[noun.size() - 2]) == std::string_view::npos;
  return has_ies ? noun.substr(0, noun.size() - 1) + "ies" : noun + (hisses ? "es" : "s");
}

// The forms of a verb given in the third person, with the words after it: "rolls along".
std::vector<std::string> forms_of(const std::string& third) {
  const std::size_t space = third.find(' ');
  const std::string verb = third.substr(0, space), rest = space == std::string::npos ? "" : third.substr(space), base = base_of(verb);
  const std::string stem = base.ends_with('e') ? base.substr(0, base.size() - 1) : base;
  std::vector<std::string> forms = {verb, base, stem + "ing", stem + "ed", base + base.back() + "ing", base + base.back() + "ed"};
  if (base.ends_with('y')) forms.push_back(base.substr(0, base.size() - 1) + "ied");
  for (std::string& form : forms) form += rest;
  return forms;
}

std::vector<std::string> cut(std::string_view text, char at) {
  std::vector<std::string> parts;
  while (true) {
    const std::size_t end = text.find(at);
    if (end != 0 && !text.empty()) parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

// How many bytes two words have in common before they differ.
std::size_t common_prefix(std::string_view a, std::string_view b) {
  const auto shorter = static_cast<std::ptrdiff_t>(std::min(a.size(), b.size()));
  return static_cast<std::size_t>(std::mismatch(a.begin(), a.begin() + shorter, b.begin()).first - a.begin());
}

// Whether a single typing slip, not at the first letter, makes `typed` of `word`.
bool is_slip_of(std::string_view typed, std::string_view word) {
  if (word.size() < 4 || typed.size() + 1 < word.size() || typed.size() > word.size() + 1 || typed[0] != word[0]) return false;
  const std::size_t same = common_prefix(typed, word);
  const std::string_view a = typed.substr(same), b = word.substr(same);
  if (a.size() + 1 == b.size()) return word.size() >= 5 && a == b.substr(1);
  if (a.size() == b.size() + 1) return a.substr(1) == b && (a[0] == typed[same - 1] || word.size() >= 7);
  if (a.size() >= 2 && a[0] == b[1] && a[1] == b[0] && a.substr(2) == b.substr(2)) return true;
  return word.size() >= 5 && a.substr(1) == b.substr(1);
}

// Whether one letter is missing, doubled or exchanged with its neighbour. A different letter is no slip: "falls" is not "calls".
bool is_misspelt(std::string_view typed, std::string_view word) {
  if (word.size() < 5 || typed.size() + 1 < word.size() || typed.size() > word.size() + 1) return false;
  const std::size_t same = common_prefix(typed, word);
  const std::string_view a = typed.substr(same), b = word.substr(same);
  if (a.size() + 1 == b.size()) return a == b.substr(1);
  if (a.size() == b.size() + 1) return a.substr(1) == b && same > 0 && a[0] == typed[same - 1];
  return a.size() >= 2 && a[0] == b[1] && a[1] == b[0] && a.substr(2) == b.substr(2);
}

// English words that look like a slip of a world's word.
constexpr std::string_view no_slips =
    " shores chose start stare boots bells horses caves cases cages glass shops roots beans beats beads coats tanks tasks spring skis ski "
    "skiing writing hiding hides sleep sleeps storm works worked falling sailing boating cold good form farm felt wall "
    "rather castles waving raving diving there their where pigeon roads states shots ";

}  // namespace

std::string spaced(std::string id) {
  std::replace(id.begin(), id.end(), '_', ' ');
  return id;
}

int number_of(const std::string& word) {
  if (word == "single" || word == "a" || word == "an") return 1;
  if (word == "pair" || word == "couple") return 2;
  static const std::vector<std::string> names = {"zero",  "one",   "two",  "three", "four",   "five",  "six",
                                                 "seven", "eight", "nine", "ten",   "eleven", "twelve"};
  if (const auto named = std::find(names.begin(), names.end(), word); named != names.end()) return static_cast<int>(named - names.begin());
  int value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  return error == std::errc() && end == word.data() + word.size() && value > 0 && value <= 1000 ? value : 0;
}

std::vector<std::string> split_words(std::string_view text) {
  std::vector<std::string> words;
  for (const TextSpan& word : words_of(text)) words.push_back(lowercase(word.of(text)));
  return words;
}

Lexicon::Lexicon(const World& world) {
  add_world(world);
  add_synonyms(world);
  add_english(world);
  plain_ = world.plain_words;
  times_ = world.times;
  words_.insert(plain_.begin(), plain_.end());
}

// The first meaning of a phrase wins, so a world's own words take precedence over synonyms.
void Lexicon::add(const std::string& phrase, Meaning meaning) {
  const std::vector<std::string> words = split_words(phrase);
  if (words.empty() || words.size() > longest_phrase) return;
  std::string key;
  for (const std::string& word : words) {
    key += (key.empty() ? "" : " ") + word;
    if (words_.insert(word).second) correctable_.push_back(word);
  }
  phrases_.try_emplace(key, std::move(meaning));
}

void Lexicon::add_verbs(std::string_view table, const Meaning& meaning) {
  for (const std::string& verb : cut(table, ' ')) {
    for (const std::string& form : cut(verb, '/')) add(form, meaning);
  }
}

void Lexicon::add_world(const World& world) {
  for (const World::Actor& actor : world.actors) {
    std::vector<std::string> nouns = actor.words;
    nouns.push_back(spaced(actor.id));
    for (const std::string& noun : nouns) {
      add(noun, {Kind::actor, actor.id});
      add(plural_of(noun), {Kind::actor, actor.id});
      add(noun + "'s", {Kind::small});
    }
  }
  add_names(world);
  for (const std::string& time : world.times) add(spaced(time), {Kind::time, time});
  for (const World::Action& action : world.actions) {
    std::vector<std::string> verbs = action.words;
    verbs.push_back(spaced(action.id));
    for (const std::string& third : verbs) {
      for (const std::string& form : forms_of(third)) add(form, {Kind::action, action.id});
    }
  }
  add_voices(world);
}

void Lexicon::add_names(const World& world) {
  for (const World::Place& place : world.places) {
    add(spaced(place.id), {Kind::place, place.id});
    for (const std::string& word : place.words) add(word, {Kind::place, place.id});
  }
  for (const World::Named& weather : world.weathers) {
    for (const std::string& word : weather.words) add(word, {Kind::weather, weather.id});
  }
  for (const World::Named& mood : world.moods) {
    for (const std::string& word : mood.words) add(word, {Kind::mood, mood.id});
  }
  for (const World::Prop& prop : world.props) {
    add(spaced(prop.id), {Kind::prop, prop.id});
    for (const std::string& word : prop.words) {
      add(word, {Kind::prop, prop.id});
      add(word + "s", {Kind::prop, prop.id});
    }
  }
}

void Lexicon::add_voices(const World& world) {
  bool low = false, high = false;  // whether a man's and a woman's voice were found
  for (const World::Voice& voice : world.voices) {
    std::vector<std::string> words = split_words(voice.description);
    if (words.empty()) continue;
    const bool is_high = has(words, "woman's") || has(words, "female"), is_low = has(words, "man's") || has(words, "male");
    if (words[0] == "a" || words[0] == "an") words.erase(words.begin());
    std::string phrase;
    for (const std::string& word : words) phrase += (phrase.empty() ? "" : " ") + word;
    add(phrase, {Kind::voice, voice.id});
    if (is_high && !std::exchange(high, true)) {
      for (const char* said : {"woman's voice", "female voice", "girl's voice", "high voice", "clear voice"})
        add(said, {Kind::voice, voice.id});
      heard_["she"] = voice.id;
    }
    if (is_low && !std::exchange(low, true)) {
      for (const char* said : {"man's voice", "male voice", "boy's voice", "deep voice", "low voice", "calm voice"})
        add(said, {Kind::voice, voice.id});
      heard_["he"] = voice.id;
    }
  }
}

// Adds the rows of a table whose ids the world has.
void Lexicon::add_table(std::span<const Synonyms> table, Kind kind, const std::vector<std::string>& ids) {
  for (const auto& [id, words] : table) {
    if (!has(ids, id)) continue;
    for (const std::string& word : cut(words, '|')) add(word, {kind, id});
  }
}

void Lexicon::add_synonyms(const World& world) {
  const std::vector<std::string> actions = ids_of(world.actions);
  add_table(actor_words, Kind::actor, ids_of(world.actors));
  add_table(place_words, Kind::place, ids_of(world.places));
  add_table(time_words, Kind::time, world.times);
  for (const auto& [id, verbs] : action_verbs) {
    if (has(actions, id)) add_verbs(verbs, {Kind::action, id});
  }
  add_table(action_phrases, Kind::action, actions);
  if (has(actions, "chases")) add("chased by", {Kind::chased});
  add_table(weather_words, Kind::weather, ids_of(world.weathers));
  add_table(mood_words, Kind::mood, ids_of(world.moods));
  if (!world.moods.empty()) add_verbs(mood_verbs, {Kind::copula});
  add_table(prop_words, Kind::prop, ids_of(world.props));
  add_table(voice_words, Kind::voice, ids_of(world.voices));
}

void Lexicon::add_english(const World& world) {
  add_verbs(say_verbs, {Kind::say});
  for (const auto& [kind, id, words] : english) {
    const std::vector<std::string>* known = kind == Kind::size       ? &world.camera_sizes
                                            : kind == Kind::move     ? &world.camera_moves
                                            : kind == Kind::position ? &world.positions
                                            : kind == Kind::facing   ? &world.facings
                                                                     : nullptr;
    if (known != nullptr && !has(*known, id)) continue;
    for (const std::string& word : cut(words, '|')) add(word, {kind, id});
  }
}

std::optional<Lexicon::Match> Lexicon::longest(std::span<const std::string> words) const {
  std::optional<Match> best;
  if (const auto time = words.empty() ? std::nullopt : read_clock(words[0])) best = {*time, 1};
  std::string phrase;
  for (std::size_t count = 1; count <= std::min(words.size(), longest_phrase); ++count) {
    phrase += (count == 1 ? "" : " ") + words[count - 1];
    if (const auto found = phrases_.find(phrase); found != phrases_.end()) best = {found->second, count};
  }
  return best;
}

std::optional<Meaning> Lexicon::read_clock(const std::string& word) const {
  int hour = 0;
  const char* const end = word.data() + word.size();
  const auto [after, error] = std::from_chars(word.data(), end, hour);
  if (error != std::errc() || after == end) return std::nullopt;
  const std::string_view rest(after, static_cast<std::size_t>(end - after));
  const bool has_minutes = rest.size() >= 3 && rest[0] == ':';
  const std::string_view half = has_minutes ? rest.substr(3) : rest;
  if (!(half == "am" || half == "pm" || (half.empty() && has_minutes)) || hour > (half.empty() ? 24 : 12)) return std::nullopt;
  if (half == "pm" || half == "am") hour = hour % 12 + (half == "pm" ? 12 : 0);
  const bool is_day = hour >= 6 && hour < 20;
  const std::string time = has(times_, "dawn") && hour >= 5 && hour < 7     ? "dawn"
                           : has(times_, "dusk") && hour >= 19 && hour < 21 ? "dusk"
                           : is_day                                         ? "day"
                                                                            : "night";
  return has(times_, time) ? std::optional(Meaning{Kind::time, time}) : std::nullopt;
}

std::string Lexicon::corrected(const std::string& word) const {
  const bool is_ascii = std::all_of(word.begin(), word.end(), [](char c) { return c >= 'a' && c <= 'z'; });
  if (!is_ascii || word.size() < 4 || knows(word) || no_slips.find(" " + word + " ") != std::string_view::npos || is_alive(word))
    return word;
  const auto found = std::find_if(correctable_.begin(), correctable_.end(),
                                  [&](const std::string& known) { return known != word + "s" && is_slip_of(word, known); });
  return found == correctable_.end() ? word : *found;
}

bool Lexicon::is_plain(const std::string& word) const {
  const auto known = [&](std::string_view w) { return std::find(plain_.begin(), plain_.end(), w) != plain_.end(); };
  const auto without = [&](std::string_view ending) {
    return word.size() > ending.size() + 2 && word.ends_with(ending) &&
           known(std::string_view(word).substr(0, word.size() - ending.size()));
  };
  return known(word) || without("'s") || without("s") || without("es") ||
         std::any_of(plain_.begin(), plain_.end(), [&](const std::string& w) { return is_misspelt(word, w); });
}

std::string Lexicon::voice_heard(const std::string& pronoun) const {
  const auto found = heard_.find(pronoun);
  return found == heard_.end() ? "" : found->second;
}

bool Lexicon::is_alive(std::string_view noun) { return alive.find(" " + std::string(noun) + " ") != std::string_view::npos; }

}  // namespace fabula::oracle
