"""Scripts, as ranges of a regular expression's character class."""

#: written without spaces: Thai, Lao, Myanmar, Khmer, kana, Han
UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
#: Korean's syllable blocks: spaces part phrases there, and endings are written to words
HANGUL = "\uac00-\ud7a3"
