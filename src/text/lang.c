/* lang.c - see lang.h. A language is a row: in the order of mC4's pages, und and zxx last. */
#include <string.h>

#include "text/lang.h"

const struct lang langs[] = {
    // clang-format off
    { "en", "eng", "", "English", "Latn" },
    { "ru", "rus", "", "Russian", "Cyrl" },
    { "es", "spa", "", "Spanish", "Latn" },
    { "de", "deu ger", "", "German", "Latn" },
    { "fr", "fra fre", "", "French", "Latn" },
    { "it", "ita", "", "Italian", "Latn" },
    { "pt", "por", "", "Portuguese", "Latn" },
    { "pl", "pol", "", "Polish", "Latn" },
    { "nl", "nld dut", "", "Dutch", "Latn" },
    { "tr", "tur", "", "Turkish", "Latn" },
    { "ja", "jpn", "", "Japanese", "Jpan" },
    { "vi", "vie", "", "Vietnamese", "Latn" },
    { "id", "ind", "in", "Indonesian", "Latn" },
    { "cs", "ces cze", "", "Czech", "Latn" },
    { "zh", "zho cmn chi", "cn", "Chinese", "Hani" },
    { "fa", "fas pes per", "", "Persian", "Arab" },
    { "ar", "ara arb", "", "Arabic", "Arab" },
    { "sv", "swe", "", "Swedish", "Latn" },
    { "ro", "ron rum", "mo", "Romanian", "Latn" },
    { "el", "ell gre", "", "Greek", "Grek" },
    { "uk", "ukr", "", "Ukrainian", "Cyrl" },
    { "hu", "hun", "", "Hungarian", "Latn" },
    { "da", "dan", "", "Danish", "Latn" },
    { "fi", "fin", "", "Finnish", "Latn" },
    { "no", "nor nob nno", "nb nn", "Norwegian", "Latn" },
    { "bg", "bul", "", "Bulgarian", "Cyrl" },
    { "hi", "hin", "", "Hindi", "Deva" },
    { "sk", "slk slo", "", "Slovak", "Latn" },
    { "ko", "kor", "", "Korean", "Hang" },
    { "th", "tha", "", "Thai", "Thai" },
    { "ca", "cat", "", "Catalan", "Latn" },
    { "ms", "msa zsm zlm may", "", "Malay", "Latn" },
    { "iw", "heb", "he", "Hebrew", "Hebr" },
    { "lt", "lit", "", "Lithuanian", "Latn" },
    { "sl", "slv", "", "Slovenian", "Latn" },
    { "mr", "mar", "", "Marathi", "Deva" },
    { "bn", "ben", "", "Bengali", "Beng" },
    { "et", "est ekk", "", "Estonian", "Latn" },
    { "lv", "lav lvs", "", "Latvian", "Latn" },
    { "az", "aze azj", "", "Azerbaijani", "Latn" },
    { "gl", "glg", "", "Galician", "Latn" },
    { "cy", "cym wel", "", "Welsh", "Latn" },
    { "sq", "sqi als alb", "", "Albanian", "Latn" },
    { "ta", "tam", "", "Tamil", "Taml" },
    { "sr", "srp", "", "Serbian", "Cyrl" },
    { "ne", "nep npi", "", "Nepali", "Deva" },
    { "lb", "ltz", "", "Luxembourgish", "Latn" },
    { "hy", "hye arm", "", "Armenian", "Armn" },
    { "kk", "kaz", "", "Kazakh", "Cyrl" },
    { "ka", "kat geo", "", "Georgian", "Geor" },
    { "mt", "mlt", "", "Maltese", "Latn" },
    { "af", "afr", "", "Afrikaans", "Latn" },
    { "fil", "fil tgl", "tl", "Filipino", "Latn" },
    { "is", "isl ice", "", "Icelandic", "Latn" },
    { "mk", "mkd mac", "", "Macedonian", "Cyrl" },
    { "ml", "mal", "", "Malayalam", "Mlym" },
    { "mn", "mon khk", "", "Mongolian", "Cyrl" },
    { "ur", "urd", "", "Urdu", "Arab" },
    { "be", "bel", "", "Belarusian", "Cyrl" },
    { "la", "lat", "", "Latin", "Latn" },
    { "eu", "eus baq", "", "Basque", "Latn" },
    { "tg", "tgk", "", "Tajik", "Cyrl" },
    { "te", "tel", "", "Telugu", "Telu" },
    { "fy", "fry", "", "West Frisian", "Latn" },
    { "kn", "kan", "", "Kannada", "Knda" },
    { "ky", "kir", "", "Kyrgyz", "Cyrl" },
    { "sw", "swa swh", "", "Swahili", "Latn" },
    { "so", "som", "", "Somali", "Latn" },
    { "km", "khm", "", "Khmer", "Khmr" },
    { "my", "mya bur", "", "Burmese", "Mymr" },
    { "uz", "uzb uzn", "", "Uzbek", "Latn" },
    { "ru-Latn", "", "", "Russian (Latin)", "Latn" },
    { "sd", "snd", "", "Sindhi", "Arab" },
    { "gu", "guj", "", "Gujarati", "Gujr" },
    { "hi-Latn", "", "", "Hindi (Latin)", "Latn" },
    { "jv", "jav", "jw", "Javanese", "Latn" },
    { "zu", "zul", "", "Zulu", "Latn" },
    { "co", "cos", "", "Corsican", "Latn" },
    { "eo", "epo", "", "Esperanto", "Latn" },
    { "ga", "gle", "", "Irish", "Latn" },
    { "ja-Latn", "", "", "Japanese (Latin)", "Latn" },
    { "si", "sin", "", "Sinhala", "Sinh" },
    { "ceb", "ceb", "", "Cebuano", "Latn" },
    { "el-Latn", "", "", "Greek (Latin)", "Latn" },
    { "pa", "pan", "", "Punjabi", "Guru" },
    { "zh-Latn", "", "", "Chinese (Latin)", "Latn" },
    { "gd", "gla", "", "Scottish Gaelic", "Latn" },
    { "hmn", "hmn mww hnj", "", "Hmong", "Latn" },
    { "ht", "hat", "", "Haitian Creole", "Latn" },
    { "ku", "kur kmr", "", "Kurdish", "Latn" },
    { "mg", "mlg plt", "", "Malagasy", "Latn" },
    { "ps", "pus pbt", "", "Pashto", "Arab" },
    { "sn", "sna", "", "Shona", "Latn" },
    { "su", "sun", "", "Sundanese", "Latn" },
    { "am", "amh", "", "Amharic", "Ethi" },
    { "bg-Latn", "", "", "Bulgarian (Latin)", "Latn" },
    { "ha", "hau", "", "Hausa", "Latn" },
    { "ny", "nya", "", "Chichewa", "Latn" },
    { "lo", "lao", "", "Lao", "Laoo" },
    { "mi", "mri mao", "", "Maori", "Latn" },
    { "sm", "smo", "", "Samoan", "Latn" },
    { "yi", "yid ydd", "ji", "Yiddish", "Hebr" },
    { "ig", "ibo", "", "Igbo", "Latn" },
    { "haw", "haw", "", "Hawaiian", "Latn" },
    { "st", "sot", "", "Sotho", "Latn" },
    { "xh", "xho", "", "Xhosa", "Latn" },
    { "yo", "yor", "", "Yoruba", "Latn" },
    { "und", "und", "un unknown", "undetermined", "" },
    { "zxx", "zxx", "", "no linguistic content", "" },
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
