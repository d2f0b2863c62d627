"""What the manual page says about guessing: the drafters, where they differ from llama.cpp's, trees and files."""

DRAFTERS = (
    (
        "",
        "--spec-type selects the drafters. Drafters without a model are always tried before a draft model, in the "
        "order of this list; the next one is tried only when those before it have no draft.",
    ),
    (
        "ngram-simple",
        "Copies what followed the newest earlier occurrence of the last size-n tokens.",
    ),
    (
        "ngram-map-k",
        "The same by a table of keys. Keys whose drafts were rejected propose shorter drafts, keys whose drafts were "
        "accepted propose longer ones.",
    ),
    (
        "ngram-map-k4v",
        "Up to four continuations per key; one is drafted when it was met at least twice as often as all others "
        "together.",
    ),
    (
        "ngram-mod",
        "A hash pool of n-match tokens and their follower, for long repetitions. If only n-max is lowered, n-min is "
        "lowered to match.",
    ),
    (
        "ngram-cache",
        "Lookup decoding: the favourite continuation of the last one to four tokens, from this text, from earlier "
        "ones (-lcd) and from a corpus (-lcs).",
    ),
    (
        "suffix",
        "A suffix automaton over prompt, answer and a corpus (--spec-suffix-corpus, a text file): follows the "
        "longest repeated suffix as long as that is likely. (Not in llama.cpp.)",
    ),
    (
        "recycling",
        "A tree of the tokens that the model rated likely after each earlier token. (Not in llama.cpp.)",
    ),
    (
        "draft-simple",
        "A smaller model (-md) drafts a sequence; it uses the same random noise as the target, so that its drafts stay "
        "good at any temperature.",
    ),
    (
        "draft-tree",
        "The draft model drafts a tree: a second or third token where it is likelier than --spec-draft-p-split, at "
        "most --spec-draft-tree-nodes tokens, verified in one pass. (Not in llama.cpp.)",
    ),
    (
        "",
        "--spec-extend N lets the drafters without a model continue a full-length draft of a model up to N tokens.",
    ),
)

COMPATIBILITY = (
    (
        "",
        "Answers never depend on the drafter; only speed does. Where llama.cpp's drafters go wrong these do not, "
        "unless --spec-compat reference asks for the same drafts, token by token (old: also for older llama.cpp's "
        "defaults, 16 / 0 / 0.75, and for its p-min rule, which keeps the unlikely token).",
    ),
    (
        "ngram-simple",
        "min-hits asks for that many earlier occurrences; llama.cpp reads it and never uses it.",
    ),
    (
        "ngram-map-k, ngram-map-k4v",
        "A key whose draft was rejected outright drafts one token the next time and may grow again; llama.cpp "
        "silences it for good. Keys of text that is gone are dropped when a prompt does not continue the last one. "
        "min-hits counts occurrences in the text. A history that became shorter starts afresh; llama.cpp aborts. A "
        "draft that was cut because few tokens were wanted does not count as rejected.",
    ),
    (
        "ngram-map-k4v",
        "Drafts the continuation that won; llama.cpp drafts the text after the match even when another one won. "
        "Each occurrence of a key is counted once.",
    ),
    (
        "ngram-mod",
        "Acceptance is measured against what was offered, not against what was cut off before; learning goes on at "
        "once after a context shift; n-min above n-max is an error, not a silent drafter.",
    ),
    (
        "ngram-cache",
        "N-grams that span two steps are learnt, so that the answer teaches as much as the prompt; a new "
        "conversation is learnt from its start; n-max is an option (always 8 there); the file of -lcd need not "
        "exist yet and is written at the end.",
    ),
    (
        "draft-simple, draft-tree",
        "Drafts use the model's sampler chain and noise; with --spec-compat reference or old they are greedy.",
    ),
)

VOCABULARIES = (
    (
        "",
        "A draft model with another vocabulary is used all the same: its drafts are translated, token by token "
        "where the two vocabularies share enough, else through text, which is slower and less accurate. One "
        "note names the first difference. "
        "--spec-replace TARGET DRAFT (two words, or one with a blank between them; repeatable) rewrites texts that "
        "the draft model spells differently, such as marks of a chat template. --spec-strict and --spec-compat "
        "reference refuse such a draft model.",
    ),
)

LOOKUP = (
    (
        "",
        "lookup-create counts what followed each pair of tokens of a text, read by the tokenizer of -m, and writes "
        "it to the file of -lcs. lookup-merge adds files up; its last name is the output, which may exist. "
        "lookup-stats replays a text in chunks of -c tokens and prints how much of it would have been drafted (up "
        "to --spec-draft-n-max tokens at a time) and accepted; it changes no file. The files are llama.cpp's, byte "
        "for byte, and belong to one tokenizer: ids that the model does not have are refused.",
    ),
    (
        "",
        "run --spec-type ngram-cache -lcd FILE reads the file, if there is one, and writes it anew when the "
        "command ends, also after Ctrl-C. Files are replaced whole or not at all.",
    ),
)

STATISTICS = (
    (
        "",
        "After an answer with speculation, on standard error: the drafters with the values in force, the share of "
        "drafted tokens that was accepted, a line per drafter (calls and milliseconds of begin, draft and accept; "
        "mean tokens per verified draft; acceptance per position), the speed-up against plain steps that were "
        "timed in the same run, and advice: above 60% accepted longer drafts may pay, below 40% shorter or surer "
        "ones. --spec-stats old prints the lines of older llama.cpp and nothing else, json one object.",
    ),
    (
        "",
        "--color-spec shows the drafted tokens in colour, one per drafter: the first of a draft underlined, the "
        "fourth and later ones bold. A legend follows on standard error. Without a terminal, or with NO_COLOR, "
        "there are no colours unless --color-spec on.",
    ),
    (
        "",
        "--spec-synth-len and --spec-synth-rates accept drafts by chance, to find out what drafts of a given "
        "quality would be worth on this machine. The text is not valid then, and the command says so.",
    ),
)

GUIDE = (
    ("DRAFTERS", DRAFTERS),
    ("DIFFERENCES FROM LLAMA.CPP", COMPATIBILITY),
    ("OTHER VOCABULARIES", VOCABULARIES),
    ("LOOKUP FILES", LOOKUP),
    ("STATISTICS", STATISTICS),
)
"""Titles and passages; a passage with a name hangs below it."""
