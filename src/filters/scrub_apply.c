// Rules on a tree: a walk that knows for each value which rules are meant.
#include "filters/scrub_internal.h"

#include "base/hex.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "wire/sentry_scrub.h"

#include <sodium.h>
#include <string.h>

enum { SET_WORDS = (SCRUB_RULES_MAX + 63) / 64, HASH_SHOWN = 16 };

struct rule_bits {
    uint64_t of[SET_WORDS];
};
struct walk {
    const struct scrub_rules *rules;
    struct arena *arena;
    struct scrub_remarks *remarks;
    struct scrub_place at;
    struct query_regex_scratch scratch;
    int error;
};

static const str addresses_rule = STR_INIT("addresses");

// ---- what stays

static bool key_in(str key, const str *names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(key, names[i]))
            return true;
    return false;
}
#define KEY_IN(key, names) key_in(key, names, sizeof names / sizeof names[0])

// Without it the event would not be found, or not at its place.
static bool is_id(str key)
{
    static const str ids[] = { STR_INIT("event_id"),
                               STR_INIT("trace_id"),
                               STR_INIT("span_id"),
                               STR_INIT("parent_span_id"),
                               STR_INIT("segment_id"),
                               STR_INIT("replay_id"),
                               STR_INIT("profile_id"),
                               STR_INIT("profiler_id"),
                               STR_INIT("chunk_id"),
                               STR_INIT("check_in_id"),
                               STR_INIT("sid"),
                               STR_INIT("timestamp"),
                               STR_INIT("start_timestamp"),
                               STR_INIT("end_timestamp"),
                               STR_INIT("received"),
                               STR_INIT("started"),
                               STR_INIT("debug_id"),
                               STR_INIT("error_ids"),
                               STR_INIT("trace_ids"),
                               STR_INIT("replay_start_timestamp") };
    return KEY_IN(key, ids);
}

// Names of code and of what it runs in: seldom anybody's, and what groups are made of.
static bool is_name(str key)
{
    static const str names[] = {
        STR_INIT("function"),     STR_INIT("raw_function"), STR_INIT("filename"),   STR_INIT("abs_path"),
        STR_INIT("module"),       STR_INIT("package"),      STR_INIT("type"),       STR_INIT("platform"),
        STR_INIT("level"),        STR_INIT("logger"),       STR_INIT("release"),    STR_INIT("dist"),
        STR_INIT("environment"),  STR_INIT("transaction"),  STR_INIT("op"),         STR_INIT("status"),
        STR_INIT("category"),     STR_INIT("kind"),         STR_INIT("image_addr"), STR_INIT("instruction_addr"),
        STR_INIT("symbol_addr"),  STR_INIT("lineno"),       STR_INIT("colno"),      STR_INIT("in_app"),
        STR_INIT("monitor_slug"), STR_INIT("did"),          STR_INIT("unit"),       STR_INIT("severity_number"),
        STR_INIT("version"),      STR_INIT("seq"),          STR_INIT("errors"),     STR_INIT("duration"),
        STR_INIT("init"),         STR_INIT("handled"),      STR_INIT("quantity")
    };
    return KEY_IN(key, names);
}

// Digits of an id or of a time, and what stands between them: what else is called so is a text as others are.
static bool looks_like_id(const struct json_node *node)
{
    static const char chars[] = "0123456789abcdefABCDEF-:.+TZ ";
    for (size_t i = 0; node->type == JSON_STRING && i < node->text.len; i++)
        if (!memchr(chars, node->text.ptr[i], sizeof chars - 1))
            return false;
    return true;
}

static bool may_touch(const struct walk *w, const struct json_node *node, bool specific)
{
    str key = w->at.path[w->at.depth - 1]->key;
    // An element of a list of ids stands below its name.
    for (unsigned i = w->at.depth; i > 0 && !key.ptr; i--)
        key = w->at.path[i - 1]->key;
    return !(is_id(key) && looks_like_id(node)) && (specific || !is_name(key));
}

// ---- what is done

str scrub_rule_shown(str rule) { return utf8_cut(rule, SCRUB_RULE_SHOWN); }

static void remark(struct walk *w, str rule, const struct json_node *before, str after)
{
    struct scrub_remarks *r = w->remarks;
    r->removed++;
    if (r->n == SCRUB_REMARKS_MAX)
        return;
    struct scrub_remark *m = &r->of[r->n];
    if (sentry_path_text(w->at.path, w->at.index, w->at.depth, w->arena, &m->path) < 0)
        return; // longer than any path that people look for
    m->rule = rule;
    m->before = before->type == JSON_STRING || before->type == JSON_NUMBER ? before->text : (str){ 0 };
    m->after = after;
    r->n++;
}

static void put_text(struct json_node *node, str text)
{
    node->type = JSON_STRING;
    node->text = text;
    node->first = NULL;
    node->n = 0;
}

static void put_nothing(struct json_node *node)
{
    node->type = JSON_NULL;
    node->text = (str){ 0 };
    node->first = NULL;
    node->n = 0;
}

// What takes a text's place.
static void put_instead(struct walk *w, const struct scrub_rule *rule, str old, struct buf *out)
{
    uint8_t hash[crypto_generichash_BYTES];
    char hex[2 * HASH_SHOWN];
    switch (rule->method) {
    case SCRUB_REMOVE:
        break;
    case SCRUB_MASK:
        for (size_t i = 0; i < old.len; i++)
            if (((uint8_t)old.ptr[i] & 0xc0) != 0x80)
                buf_byte(out, '*');
        break;
    case SCRUB_HASH:
        crypto_generichash(hash, sizeof hash, (const uint8_t *)old.ptr, old.len, (const uint8_t *)w->rules->secret.ptr,
                           w->rules->secret.len);
        hex_encode(hex, hash, HASH_SHOWN);
        buf_append(out, hex, sizeof hex);
        break;
    case SCRUB_REPLACE:
        buf_str(out, rule->with);
        break;
    }
}

static void take(struct walk *w, const struct scrub_rule *rule, struct json_node *node, struct buf *out)
{
    str text;
    if (out->error || arena_dup(w->arena, buf_view(out), &text) < 0) {
        w->error = ERR_NOMEM;
        return;
    }
    if (node->type == JSON_STRING && str_eq(node->text, text))
        return;
    remark(w, rule->text, node, text);
    put_text(node, text);
}

static size_t room(const struct scrub_rule *rule, str text)
{
    enum { LEAST = 2 * HASH_SHOWN };
    return text.len + (text.len + 1) * (rule->with.len > LEAST ? rule->with.len : LEAST);
}

static void take_whole(struct walk *w, const struct scrub_rule *rule, struct json_node *node)
{
    str old = node->type == JSON_TRUE ? STR("true") : node->type == JSON_FALSE ? STR("false") : node->text;
    struct buf out;
    if (node->type == JSON_NULL)
        return;
    if (rule->method == SCRUB_REMOVE) {
        remark(w, rule->text, node, (str){ 0 });
        put_nothing(node);
        return;
    }
    buf_init(&out, room(rule, old));
    put_instead(w, rule, old, &out);
    take(w, rule, node, &out);
    buf_free(&out);
}

// The next text that a rule looks for.
static bool find(struct walk *w, const struct scrub_rule *rule, str text, size_t from, size_t *ret_from, size_t *ret_to)
{
    str groups[2] = { 0 }, rest = str_slice(text, from, text.len);
    if (rule->type == &scrub_card)
        return sentry_card_find(text, from, ret_from, ret_to);
    for (; query_regex_find(rule->regex, rest, groups, rule->group + 1, &w->scratch);
         rest = str_slice(text, from, text.len)) {
        str found = groups[rule->group].ptr ? groups[rule->group] : groups[0], all = groups[0];
        if (found.ptr < text.ptr || found.ptr + found.len > text.ptr + text.len) { // broken UTF-8: all of it goes
            *ret_from = from;
            *ret_to = text.len;
            return from < text.len;
        }
        if (found.len) {
            *ret_from = (size_t)(found.ptr - text.ptr);
            *ret_to = *ret_from + found.len;
            return true;
        }
        from = (size_t)(all.ptr - text.ptr) + (all.len ? all.len : 1); // an empty match takes nothing
        if (from > text.len)
            return false;
    }
    return false;
}

static void take_parts(struct walk *w, const struct scrub_rule *rule, struct json_node *node)
{
    str text = node->text;
    size_t from, to, done = 0;
    struct buf out;
    if (rule->type && rule->type->needs && str_find_char(text, rule->type->needs, 0) < 0)
        return;
    if ((rule->regex && !query_regex_match(rule->regex, text)) || !find(w, rule, text, 0, &from, &to))
        return;
    buf_init(&out, room(rule, text));
    do {
        buf_str(&out, str_slice(text, done, from));
        put_instead(w, rule, str_slice(text, from, to), &out);
        done = to;
    } while (done < text.len && find(w, rule, text, done, &from, &to));
    buf_str(&out, str_slice(text, done, text.len));
    take(w, rule, node, &out);
    buf_free(&out);
}

static bool has_digit(str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] >= '0' && s.ptr[i] <= '9')
            return true;
    return false;
}

static bool is_container(const struct json_node *node) { return node->type == JSON_OBJECT || node->type == JSON_ARRAY; }

// One rule that is meant here. True: the value is no more what it was.
static bool rule_do(struct walk *w, const struct scrub_rule *rule, struct json_node *node, bool specific)
{
    bool whole = rule->type == &scrub_anything || rule->type == &scrub_password;
    bool text = node->type == JSON_STRING || node->type == JSON_NUMBER;
    bool gone = rule->method == SCRUB_REMOVE || rule->method == SCRUB_REPLACE;
    if (rule->type == &scrub_password && !sentry_key_is_secret(w->at.path[w->at.depth - 1]->key))
        return false;
    // A value of several parts goes as one only when it was named; else its texts do.
    if (whole && is_container(node) && (!gone || !(specific || rule->type == &scrub_password)))
        return false;
    if ((!whole && !text) || !may_touch(w, node, specific))
        return false;
    if (whole)
        take_whole(w, rule, node);
    else if (!rule->type || !rule->type->digits || has_digit(node->text))
        take_parts(w, rule, node);
    return whole;
}

static bool is_address_key(str key)
{
    static const str names[] = { STR_INIT("ip_address"),
                                 STR_INIT("client_ip"),
                                 STR_INIT("remote_addr"),
                                 STR_INIT("x-forwarded-for"),
                                 STR_INIT("x-real-ip"),
                                 STR_INIT("forwarded"),
                                 STR_INIT("cf-connecting-ip"),
                                 STR_INIT("true-client-ip"),
                                 STR_INIT("x-client-ip"),
                                 STR_INIT("fastly-client-ip"),
                                 STR_INIT("client.address"),
                                 STR_INIT("user.ip_address"),
                                 STR_INIT("user.ip"),
                                 STR_INIT("http.client_ip"),
                                 STR_INIT("net.sock.peer.addr"),
                                 STR_INIT("x-cluster-client-ip") };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (str_ieq(key, names[i]))
            return true;
    return false;
}

static void value_do(struct walk *w, struct json_node *node, struct rule_bits meant);

// {"value": V, "type": T}: what an attribute is; the way to it ends with its name.
static bool is_attribute(const struct walk *w, const struct json_node *node, struct json_node **ret_value,
                         struct json_node **ret_type)
{
    *ret_value = *ret_type = NULL;
    if (node->type != JSON_OBJECT || w->at.depth < 2 || !str_eq(w->at.path[w->at.depth - 2]->key, STR("attributes")))
        return false;
    for (const struct json_node *m = node->first; m; m = m->next) {
        if (str_eq(m->key, STR("value")))
            *ret_value = (struct json_node *)m;
        else if (str_eq(m->key, STR("type")))
            *ret_type = (struct json_node *)m;
    }
    return *ret_value && *ret_type;
}

static void below_do(struct walk *w, struct json_node *node, struct rule_bits meant)
{
    uint32_t i = 0;
    // ["Cookie", "a=b"]: headers and tags come as pairs, too; the second is meant by the first one's name.
    bool pair = node->type == JSON_ARRAY && node->n == 2 && node->first->type == JSON_STRING &&
                node->first->next->type == JSON_STRING;
    for (const struct json_node *c = node->first; c && w->error == 0 && w->at.depth < SCRUB_DEPTH_MAX;
         c = c->next, i++) {
        struct json_node *child = (struct json_node *)c, named; // made by json_tree_read(): ours to change
        if (pair && i == 1) {
            named = *child;
            named.key = node->first->text;
            w->at.path[w->at.depth] = &named;
            w->at.index[w->at.depth++] = i;
            value_do(w, &named, meant);
            w->at.depth--;
            child->type = named.type;
            child->text = named.text;
            continue;
        }
        w->at.path[w->at.depth] = c;
        w->at.index[w->at.depth++] = i;
        value_do(w, child, meant);
        w->at.depth--;
    }
}

static void value_do(struct walk *w, struct json_node *node, struct rule_bits meant)
{
    const struct scrub_rules *rules = w->rules;
    struct rule_bits below = meant;
    struct json_node *value, *type;
    bool attribute = is_attribute(w, node, &value, &type);
    struct json_node *at = attribute ? value : node;
    uint8_t type_before = at->type;
    if (rules->addresses && at->type != JSON_NULL && is_address_key(w->at.path[w->at.depth - 1]->key)) {
        remark(w, addresses_rule, at, (str){ 0 });
        put_nothing(at);
    }
    for (uint32_t i = 0; i < rules->n && w->error == 0 && at->type != JSON_NULL; i++) {
        const struct scrub_rule *rule = &rules->rules[i];
        bool specific = false, now = !rule->source || (meant.of[i / 64] >> (i % 64) & 1);
        if (rule->source) {
            now |= scrub_source_match(rule->source, &w->at, &specific);
            if (now && rule->below)
                below.of[i / 64] |= UINT64_C(1) << (i % 64);
        }
        if (now && rule_do(w, rule, at, specific))
            break;
    }
    if (attribute && at->type == JSON_STRING && type_before != JSON_STRING)
        put_text(type, STR("string"));
    if (is_container(at))
        below_do(w, at, below);
}

int scrub_rules_apply(const struct scrub_rules *r, const struct json_node *root, struct arena *arena,
                      struct scrub_remarks *ret_remarks)
{
    static const str code[] = { STR_INIT("modules"), STR_INIT("sdk"), STR_INIT("debug_meta"), STR_INIT("_meta") };
    ret_remarks->n = ret_remarks->removed = 0;
    if (!r->n && !r->addresses)
        return 0;
    struct walk *w = mem_zalloc(sizeof *w);
    if (!w)
        return ERR_NOMEM;
    w->rules = r;
    w->arena = arena;
    w->remarks = ret_remarks;
    for (const struct json_node *m = json_first_of(root, JSON_OBJECT); m && w->error == 0; m = m->next) {
        if (KEY_IN(m->key, code))
            continue;
        w->at.path[0] = m;
        w->at.depth = 1;
        value_do(w, (struct json_node *)m, (struct rule_bits){ 0 });
    }
    int error = w->error;
    mem_free(w->scratch.ptr);
    mem_free(w);
    return error;
}

int scrub_rules_peer(const struct scrub_rules *r, struct arena *arena, str *peer)
{
    struct json_node address = { .type = JSON_STRING, .key = STR("ip_address"), .text = *peer };
    struct json_node user = { .type = JSON_OBJECT, .key = STR("user"), .n = 1, .first = &address };
    struct json_node root = { .type = JSON_OBJECT, .n = 1, .first = &user };
    struct scrub_remarks *remarks = mem_zalloc(sizeof *remarks);
    int error = remarks ? scrub_rules_apply(r, &root, arena, remarks) : ERR_NOMEM;
    mem_free(remarks);
    if (error == 0)
        *peer = json_text_of(json_first_of(json_first_of(&root, JSON_OBJECT), JSON_OBJECT));
    return error;
}
