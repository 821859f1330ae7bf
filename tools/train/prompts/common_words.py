"""Common words, from which half of the drawn lines are made, and fast approximate phones for lines of them."""

import functools
import re

from prompts import grammar_words
from world import speech

WORDS = """a about after again all always am an and animal answer apple are around as ask at away back bad ball be bear beautiful because bed before begin
behind best better big bird black blue boat book both box boy bread bring brother build but buy by call came can car careful cat catch chair change
cheese child city clean clear climb cloud cold come cook could country crab cry cup cut dance danger dark day dear deep did dig do dog door down dream
drink drop dry each ear early earth east eat egg eight enough evening every eye face fall family far farm fast father feather feel field find fine fire
first fish five flower fly follow food for forest forget found four fox friend frog from fruit full fun game garden gave get girl give go gold good
grass great green ground grow had hair half hand happy hard has hat have he hear heart heavy hello help her here hide high hill him his hold home honey
hope horse hot house how hungry hurry I ice idea if in inside is island it join joy juice jump just keep key kind king kitchen know lake lamp large last
late laugh leaf learn leave left leg let letter light like lion listen little live long look lost loud love low lucky magic make man many map market may
me measure meet milk mine moment moon more morning mother mountain mouse mouth move much music must my name near need never new next nice night nine no
noise north nose not nothing now ocean of off often oil old on once one only open or orange other our out over own page paint paper park part party path
peace penguin people picture pig place plan play please pleasure point poor pretty pull push put queen question quick quiet rabbit race rain reach read
ready red rest rice rich ride right ring river road robot rock roof room round run sad safe said sail same sand saw say school sea second secret see sell
send seven shade shadow shark she shell shine ship shoe shop short should show sing sister sit six sky sleep slow small smell smile snow so soft some
song soon sound south speak spring stand star stay step still stone stop storm story street strong such summer sun sure surprise sweet swim table take
talk tall taste tea teach tell ten than thank that the their them then there these they thing think this three through throw time tiny to today together
tomorrow tonight too took top touch town toy treasure tree true try turn turtle two under until up us use usual valley vision very village visit voice
wait walk wall want warm was wash watch water wave way we wear weather welcome well west wet whale what wheel when where which white who why wide will
wind window winter wish with wonder wood word work world would write yellow yes yesterday you young your zebra zero zoo""".split()


@functools.cache
def known():
    """The words that make up most drawn lines."""
    texts = [*WORDS, *grammar_words.SENTENCES, *grammar_words.SPEECHES, *(word for words in grammar_words.SLOTS.values() for word in words)]
    return frozenset(re.findall(r"[a-z']+", re.sub(r"\{\w+\}", " ", " ".join(texts)).lower()))


@functools.lru_cache(maxsize=65536)
def piece_phones(piece, voice, spoken=speech.phones_of):
    """Exact phones of a word or a pair of letters. `spoken` is bound at import: `rough_phones` may replace speech.phones_of later."""
    return spoken(piece, voice)


def rough_phones(text, voice):
    """Approximates speech.phones_of by joining the phones of single words, and of letter pairs for uncommon words. Some fifty times as fast once warm; good
    enough for context tokens, which carry no loss."""
    phones, at = [], 0.0
    for word in re.findall(r"[\w']+", text.lower()):
        for piece in [word] if word in known() else re.findall(r"\w\w?", word):
            spoken = piece_phones(piece, voice)
            phones += [speech.Phone(p.name, at + p.begin - spoken[0].begin, at + p.end - spoken[0].begin) for p in spoken]
            at = phones[-1].end if phones else 0.0
    return tuple(phones)
