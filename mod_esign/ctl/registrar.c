/* SPDX-License-Identifier: Apache-2.0 */
/* registrar.c: the rules for the data of subscribers and cards. */
#include "registrar.h"

#include "audit/trail.h"
#include "core/contact.h"
#include "core/defaults.h"
#include "core/iso_time.h"
#include "render/catalogue.h"

#include <apr_strings.h>

#include <string.h>

#include <unistr.h>

/* Code points of a name, at most. */
#define NAME_MAX_POINTS 200

esign_result_t esign_registrar_make(esign_registrar_t *registrar, const esign_settings_t *settings,
                                    apr_pool_t *p)
{
    esign_blocklist_t *blocklist = NULL;
    esign_result_t result = esign_word_hash_init();
    *registrar = (esign_registrar_t){ .settings = settings };
    if (!esign_failed(result))
        result = esign_national_id_scheme(&registrar->scheme, settings->identity_number, p);
    if (!esign_failed(result))
        result = esign_blocklist_load(&blocklist, settings->word_blocklist, p);
    if (!esign_failed(result))
        result = esign_settings_database(settings, 1, &registrar->database, p);
    registrar->words = (esign_word_policy_t){ .min = ESIGN_WORD_LENGTH_MIN,
                                              .max = ESIGN_WORD_LENGTH_MAX,
                                              .blocklist = blocklist };
    return result;
}

static esign_word_cost_t cost_of(const esign_registrar_t *registrar)
{
    return (esign_word_cost_t){ .memory_kib = registrar->settings->hash_memory,
                                .passes = registrar->settings->hash_passes };
}

static int is_date(const char *text)
{
    apr_time_t time;
    return text && esign_iso_time_parse(text, 1, &time);
}

static int is_digits(const char *text, size_t min, size_t max)
{
    size_t length = text ? strlen(text) : 0;
    return length >= min && length <= max && strspn(text, "0123456789") == length;
}

/* What is wrong with a card; NULL: nothing. */
static const char *judge_card(const esign_card_t *card)
{
    static const char *const states[] = { "active", "suspended", "revoked", "expired" };
    int known = 0;
    for (size_t i = 0; i < sizeof(states) / sizeof(*states); i++)
        known |= card->state && strcmp(card->state, states[i]) == 0;
    if (!card->serial || !*card->serial || strlen(card->serial) > 64 ||
        strspn(card->serial, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-./") !=
            strlen(card->serial))
        return "a card's serial must be 1 to 64 letters, digits, hyphens, dots or slashes";
    if (!known)
        return "a card's state must be active, suspended, revoked or expired";
    if (!is_date(card->not_before) || !is_date(card->not_after) ||
        strcmp(card->not_before, card->not_after) > 0)
        return "a card's not-before and not-after must be dates of the form YYYY-MM-DD, the "
               "earlier one first";
    if (card->fingerprint &&
        (strlen(card->fingerprint) != 64 || strspn(card->fingerprint, "0123456789abcdef") != 64))
        return "a card's fingerprint must be the SHA-256 of its certificate in 64 hexadecimal "
               "digits";
    if (!is_digits(card->pin, 4, 32) || !is_digits(card->puk, 4, 32))
        return "a card's PIN and PUK must be 4 to 32 digits each";
    return NULL;
}

/* What is wrong with the word or its hash; NULL: nothing. */
static const char *judge_word(const esign_registrar_t *registrar, const esign_application_t *a,
                              const char *id, apr_pool_t *p)
{
    const char *const personal[] = {
        id, a->name, a->email, a->phone, registrar->settings->organization, NULL
    };
    const char *word;
    if (a->word && a->word_hash)
        return "a security-word or a word-hash must be given, not both";
    if (a->word_hash) {
        const char *why = esign_word_hash_refusal(a->word_hash, cost_of(registrar));
        return why ? apr_psprintf(p, "the word-hash cannot be taken in: %s", why) : NULL;
    }
    if (!a->word)
        return "a security-word or a word-hash must be given";
    word = esign_word_normalize(a->word, p);
    esign_word_verdict_e verdict =
        word ? esign_word_check(&registrar->words, word, personal, p) : ESIGN_WORD_MALFORMED;
    return verdict == ESIGN_WORD_OK ? NULL
                                    : apr_psprintf(p, "the security word is not acceptable: %s",
                                                   esign_word_verdict_name(verdict));
}

/* Whether a text contains U+2028 to U+202E or U+2066 to U+2069 (Unicode Annex 9). These break the
 * line, or turn the direction of the text after the name, too. Letters of scripts that are written
 * from right to left, marks and joiners are parts of names, and are accepted. */
static int turns_text(const char *text)
{
    for (const unsigned char *c = (const unsigned char *)text; *c; c++)
        if (c[0] == 0xe2 && ((c[1] == 0x80 && c[2] >= 0xa8 && c[2] <= 0xae) ||
                             (c[1] == 0x81 && c[2] >= 0xa6 && c[2] <= 0xa9)))
            return 1;
    return 0;
}

/* What is wrong with an application, in one sentence without secrets; NULL: nothing. `normalized`
 * gets the digits of the identity number. */
static const char *judge_application(const esign_registrar_t *registrar,
                                     const esign_application_t *a,
                                     char normalized[ESIGN_NATIONAL_ID_MAX + 1], apr_pool_t *p)
{
    if (!a->national_id || !esign_national_id_parse(registrar->scheme, a->national_id, normalized))
        return "the identity number is not one of the scheme";
    if (!a->language || !esign_catalogue_language(a->language) || strlen(a->language) != 2)
        return "the language must be tr or en";
    /* esign_word_normalize refuses control characters, which would reach mail headers and
     * terminals. */
    if (!a->name || a->name[strspn(a->name, " ")] == '\0' || !esign_word_normalize(a->name, p) ||
        turns_text(a->name) ||
        u8_mbsnlen((const uint8_t *)a->name, strlen(a->name)) > NAME_MAX_POINTS)
        return "the name must be 1 to 200 characters on one line, without control characters and "
               "without any that turn the direction of writing";
    if (!a->email || !esign_contact_email_valid(a->email))
        return "the e-mail address is not one that mail can be sent to";
    if (!a->phone || !esign_contact_phone_valid(a->phone))
        return "the phone number must be of the form +905551234567";
    for (int i = 0; a->cards && i < a->cards->nelts; i++) {
        const char *refusal = judge_card(&APR_ARRAY_IDX(a->cards, i, esign_card_t));
        if (refusal)
            return refusal;
    }
    return judge_word(registrar, a, normalized, p);
}

esign_result_t esign_registrar_prepare(const esign_registrar_t *registrar,
                                       const esign_application_t *a, esign_application_t *ready,
                                       apr_pool_t *p)
{
    char normalized[ESIGN_NATIONAL_ID_MAX + 1];
    const char *refusal = judge_application(registrar, a, normalized, p);
    if (refusal)
        return esign_result_make(p, APR_EINVAL, "application", "%s", refusal);
    *ready = *a;
    ready->national_id = apr_pstrdup(p, normalized);
    ready->word = NULL;
    return a->word_hash ? ESIGN_OK
                        : esign_word_hash_make(cost_of(registrar), esign_word_normalize(a->word, p),
                                               &ready->word_hash, p);
}

esign_result_t esign_registrar_begin(const esign_registrar_t *registrar, apr_pool_t *p)
{
    esign_database_t *database = registrar->database;
    const esign_keyring_t *now;
    esign_result_t result = esign_subscriber_begin(database, p);
    if (!esign_failed(result))
        result = esign_settings_keyring(registrar->settings, &now, p);
    if (!esign_failed(result) &&
        esign_keyring_active(now) != esign_keyring_active(database->keyring))
        result = esign_result_make(
            p, APR_EBUSY, "key file",
            "key %d has become the active one meanwhile: run the same command again",
            esign_keyring_active(now));
    return esign_failed(result) ? esign_database_end(database, result, p) : result;
}

esign_result_t esign_registrar_add(const esign_registrar_t *registrar, const esign_application_t *a,
                                   apr_int64_t *id, apr_pool_t *p)
{
    esign_subscriber_t subscriber = { .national_id = a->national_id,
                                      .name = a->name,
                                      .email = a->email,
                                      .phone = a->phone,
                                      .language = a->language };
    esign_result_t result = esign_subscriber_add(registrar->database, &subscriber, a->word_hash, p);
    for (int i = 0; !esign_failed(result) && a->cards && i < a->cards->nelts; i++)
        result = esign_card_add(registrar->database, subscriber.id,
                                &APR_ARRAY_IDX(a->cards, i, esign_card_t), p);
    if (!esign_failed(result))
        result = esign_audit_add(registrar->database, ESIGN_AUDIT_REGISTERED, subscriber.id,
                                 ESIGN_AUDIT_LOCAL, apr_time_now(), p);
    *id = subscriber.id;
    return result;
}
