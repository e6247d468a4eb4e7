/* lang.c - see lang.h. A language is a row: in the order of mC4's pages, und and zxx last. */
#include <string.h>

#include "text/lang.h"

const struct lang langs[] = {
    // clang-format off
    { "en", "eng", "", "English", "Latn", 11264, 128 },
    { "ru", "rus", "", "Russian", "Cyrl", 4096, 32 },
    { "es", "spa", "", "Spanish", "Latn", 2048, 16 },
    { "de", "deu ger", "", "German", "Latn", 2048, 16 },
    { "fr", "fra fre", "", "French", "Latn", 2048, 16 },
    { "it", "ita", "", "Italian", "Latn", 1024, 8 },
    { "pt", "por", "", "Portuguese", "Latn", 1024, 4 },
    { "pl", "pol", "", "Polish", "Latn", 1024, 4 },
    { "nl", "nld dut", "", "Dutch", "Latn", 1024, 4 },
    { "tr", "tur", "", "Turkish", "Latn", 1024, 4 },
    { "ja", "jpn", "", "Japanese", "Jpan", 1024, 8 },
    { "vi", "vie", "", "Vietnamese", "Latn", 1024, 4 },
    { "id", "ind", "in", "Indonesian", "Latn", 1024, 4 },
    { "cs", "ces cze", "", "Czech", "Latn", 1024, 2 },
    { "zh", "zho cmn chi", "cn", "Chinese", "Hani", 1024, 2 },
    { "fa", "fas pes per", "", "Persian", "Arab", 1024, 2 },
    { "ar", "ara arb", "", "Arabic", "Arab", 1024, 4 },
    { "sv", "swe", "", "Swedish", "Latn", 1024, 2 },
    { "ro", "ron rum", "mo", "Romanian", "Latn", 1024, 2 },
    { "el", "ell gre", "", "Greek", "Grek", 1024, 2 },
    { "uk", "ukr", "", "Ukrainian", "Cyrl", 1024, 2 },
    { "hu", "hun", "", "Hungarian", "Latn", 1024, 2 },
    { "da", "dan", "", "Danish", "Latn", 1024, 1 },
    { "fi", "fin", "", "Finnish", "Latn", 1024, 1 },
    { "no", "nor nob nno", "nb nn", "Norwegian", "Latn", 1024, 1 },
    { "bg", "bul", "", "Bulgarian", "Cyrl", 1024, 1 },
    { "hi", "hin", "", "Hindi", "Deva", 1024, 2 },
    { "sk", "slk slo", "", "Slovak", "Latn", 512, 1 },
    { "ko", "kor", "", "Korean", "Hang", 1024, 1 },
    { "th", "tha", "", "Thai", "Thai", 1024, 1 },
    { "ca", "cat", "", "Catalan", "Latn", 512, 1 },
    { "ms", "msa zsm zlm may", "", "Malay", "Latn", 512, 1 },
    { "iw", "heb", "he", "Hebrew", "Hebr", 1024, 1 },
    { "lt", "lit", "", "Lithuanian", "Latn", 512, 1 },
    { "sl", "slv", "", "Slovenian", "Latn", 256, 1 },
    { "mr", "mar", "", "Marathi", "Deva", 1024, 1 },
    { "bn", "ben", "", "Bengali", "Beng", 512, 1 },
    { "et", "est ekk", "", "Estonian", "Latn", 256, 1 },
    { "lv", "lav lvs", "", "Latvian", "Latn", 256, 1 },
    { "az", "aze azj", "", "Azerbaijani", "Latn", 256, 1 },
    { "gl", "glg", "", "Galician", "Latn", 128, 1 },
    { "cy", "cym wel", "", "Welsh", "Latn", 256, 1 },
    { "sq", "sqi als alb", "", "Albanian", "Latn", 128, 1 },
    { "ta", "tam", "", "Tamil", "Taml", 256, 1 },
    { "sr", "srp", "", "Serbian", "Cyrl", 256, 1 },
    { "ne", "nep npi", "", "Nepali", "Deva", 256, 1 },
    { "lb", "ltz", "", "Luxembourgish", "Latn", 32, 1 },
    { "hy", "hye arm", "", "Armenian", "Armn", 128, 1 },
    { "kk", "kaz", "", "Kazakh", "Cyrl", 256, 1 },
    { "ka", "kat geo", "", "Georgian", "Geor", 256, 1 },
    { "mt", "mlt", "", "Maltese", "Latn", 128, 1 },
    { "af", "afr", "", "Afrikaans", "Latn", 64, 1 },
    { "fil", "fil tgl", "tl", "Filipino", "Latn", 64, 1 },
    { "is", "isl ice", "", "Icelandic", "Latn", 128, 1 },
    { "mk", "mkd mac", "", "Macedonian", "Cyrl", 128, 1 },
    { "ml", "mal", "", "Malayalam", "Mlym", 128, 1 },
    { "mn", "mon khk", "", "Mongolian", "Cyrl", 128, 1 },
    { "ur", "urd", "", "Urdu", "Arab", 128, 1 },
    { "be", "bel", "", "Belarusian", "Cyrl", 128, 1 },
    { "la", "lat", "", "Latin", "Latn", 64, 1 },
    { "eu", "eus baq", "", "Basque", "Latn", 64, 1 },
    { "tg", "tgk", "", "Tajik", "Cyrl", 64, 1 },
    { "te", "tel", "", "Telugu", "Telu", 128, 1 },
    { "fy", "fry", "", "West Frisian", "Latn", 16, 1 },
    { "kn", "kan", "", "Kannada", "Knda", 64, 1 },
    { "ky", "kir", "", "Kyrgyz", "Cyrl", 64, 1 },
    { "sw", "swa swh", "", "Swahili", "Latn", 32, 1 },
    { "so", "som", "", "Somali", "Latn", 64, 1 },
    { "km", "khm", "", "Khmer", "Khmr", 64, 1 },
    { "my", "mya bur", "", "Burmese", "Mymr", 64, 1 },
    { "uz", "uzb uzn", "", "Uzbek", "Latn", 32, 1 },
    { "ru-Latn", "", "", "Russian (Latin)", "Latn", 32, 1 },
    { "sd", "snd", "", "Sindhi", "Arab", 64, 1 },
    { "gu", "guj", "", "Gujarati", "Gujr", 64, 1 },
    { "hi-Latn", "", "", "Hindi (Latin)", "Latn", 16, 1 },
    { "jv", "jav", "jw", "Javanese", "Latn", 8, 1 },
    { "zu", "zul", "", "Zulu", "Latn", 8, 1 },
    { "co", "cos", "", "Corsican", "Latn", 8, 1 },
    { "eo", "epo", "", "Esperanto", "Latn", 32, 1 },
    { "ga", "gle", "", "Irish", "Latn", 16, 1 },
    { "ja-Latn", "", "", "Japanese (Latin)", "Latn", 8, 1 },
    { "si", "sin", "", "Sinhala", "Sinh", 64, 1 },
    { "ceb", "ceb", "", "Cebuano", "Latn", 8, 1 },
    { "el-Latn", "", "", "Greek (Latin)", "Latn", 16, 1 },
    { "pa", "pan", "", "Punjabi", "Guru", 32, 1 },
    { "zh-Latn", "", "", "Chinese (Latin)", "Latn", 8, 1 },
    { "gd", "gla", "", "Scottish Gaelic", "Latn", 16, 1 },
    { "hmn", "hmn mww hnj", "", "Hmong", "Latn", 8, 1 },
    { "ht", "hat", "", "Haitian Creole", "Latn", 8, 1 },
    { "ku", "kur kmr", "", "Kurdish", "Latn", 16, 1 },
    { "mg", "mlg plt", "", "Malagasy", "Latn", 8, 1 },
    { "ps", "pus pbt", "", "Pashto", "Arab", 16, 1 },
    { "sn", "sna", "", "Shona", "Latn", 8, 1 },
    { "su", "sun", "", "Sundanese", "Latn", 4, 1 },
    { "am", "amh", "", "Amharic", "Ethi", 16, 1 },
    { "bg-Latn", "", "", "Bulgarian (Latin)", "Latn", 4, 1 },
    { "ha", "hau", "", "Hausa", "Latn", 8, 1 },
    { "ny", "nya", "", "Chichewa", "Latn", 4, 1 },
    { "lo", "lao", "", "Lao", "Laoo", 8, 1 },
    { "mi", "mri mao", "", "Maori", "Latn", 4, 1 },
    { "sm", "smo", "", "Samoan", "Latn", 4, 1 },
    { "yi", "yid ydd", "ji", "Yiddish", "Hebr", 16, 1 },
    { "ig", "ibo", "", "Igbo", "Latn", 4, 1 },
    { "haw", "haw", "", "Hawaiian", "Latn", 2, 1 },
    { "st", "sot", "", "Sotho", "Latn", 2, 1 },
    { "xh", "xho", "", "Xhosa", "Latn", 2, 1 },
    { "yo", "yor", "", "Yoruba", "Latn", 2, 1 },
    { "und", "und", "un unknown", "undetermined", "", 3072, 32 },
    { "zxx", "zxx", "", "no linguistic content", "", 1, 1 },
    // clang-format on
};

const int n_lang = sizeof(langs) / sizeof(langs[0]);

static int lower(int c)
{
    return c >= 'A' && c <= 'Z' ? c + 32 : c;
}

static int same(const char *a, struct bytes b)
{
    size_t i;

    for (i = 0; i < b.n && a[i]; i++)
        if (lower((unsigned char)a[i]) != lower(b.p[i]))
            return 0;
    return i == b.n && !a[i];
}

/* Whether word is one of the space-separated words of list. */
static int among(const char *list, struct bytes word)
{
    while (*list) {
        size_t i, n = strcspn(list, " ");

        for (i = 0; i < n && i < word.n; i++)
            if (list[i] != lower(word.p[i]))
                break;
        if (i == n && i == word.n)
            return 1;
        list += n + (list[n] == ' ');
    }
    return 0;
}

static const struct lang *find_plain(struct bytes word)
{
    int i;

    if (!word.n)
        return NULL;
    for (i = 0; i < n_lang; i++)
        if (same(langs[i].label, word) || among(langs[i].iso3, word) || among(langs[i].also, word))
            return &langs[i];
    return NULL;
}

/* The row LABEL-Latn, where there is one. */
static const struct lang *find_latin(const struct lang *base)
{
    size_t n = strlen(base->label);
    int i;

    for (i = 0; i < n_lang; i++)
        if (!strncmp(langs[i].label, base->label, n) && !strcmp(langs[i].label + n, "-Latn"))
            return &langs[i];
    return NULL;
}

/* The next subtag of *rest, between '-' or '_'; an encoding ("en_US.UTF-8") ends a tag. */
static int subtag(struct bytes *rest, struct bytes *tag)
{
    size_t n = 0;

    if (!rest->n || *rest->p == '.' || *rest->p == '@')
        return 0;
    while (n < rest->n && !strchr("-_.@", rest->p[n]))
        n++;
    *tag = (struct bytes){ rest->p, n };
    if (n < rest->n && (rest->p[n] == '-' || rest->p[n] == '_'))
        n++;
    *rest = (struct bytes){ rest->p + n, rest->n - n };
    return 1;
}

const struct lang *lang_find(struct bytes tag)
{
    struct bytes rest = tag, part;
    const struct lang *l, *latin;

    if (!subtag(&rest, &part) || !(l = find_plain(part)))
        return NULL;
    while (subtag(&rest, &part)) {
        if (part.n == 1)    // an extension or private use: nothing of ours comes after it
            break;
        if (same("Latn", part) && (latin = find_latin(l)))
            return latin;
    }
    return l;
}

const struct lang *lang_from_iso3(struct bytes code)
{
    int i;

    if (code.n != 3)
        return NULL;
    for (i = 0; i < n_lang; i++)
        if (among(langs[i].iso3, code))
            return &langs[i];
    return NULL;
}

int lang_is(const struct lang *l, const char *label)
{
    return l && !strcmp(l->label, label);
}

int lang_in_mc4(const struct lang *l)
{
    return l && !lang_is(l, "und") && !lang_is(l, "zxx");
}
