# colours.bash - a task that a tiny model learns in seconds: say the colour.
# shellcheck shell=bash

pairs() { # SEED N: "the red dog", "red"
    awk -v s="$1" -v n="$2" 'BEGIN {
        srand(s)
        split("red green blue", c, " ")
        split("fox dog cat", a, " ")
        while (n-- > 0) {
            x = c[1 + int(rand() * 3)]
            print "the " x " " a[1 + int(rand() * 3)] "\t" x
        }
    }'
}

vocabulary() { # v.model, of the task's words, and dense.json: the shape of a model for it
    seq 1 200 |
        sed 's/^/the quick fox jumps over the lazy dog while a cat sat there red green blue /' >text
    spm-train -q -n -s 80 -o v.model text
    jq '.vocab_size = 128 | .d_model = 32 | .d_ff = 64 | .model_type = "t5" |
        .tie_word_embeddings = true' "$DATA/train/tiny.json" >dense.json
}
