// The seam between Weir and libcurl's HTTP/2.
//
// libcurl uses nghttp2, and reports less than Weir has to know: 7.88 retries a rejected stream, drops a complete
// response that is followed by a reset, and reports a response as complete whose connection was abandoned. Neither
// its results nor its debug callback (CURLOPT_DEBUGFUNCTION) show the error code of a reset, the end of a stream or
// the bytes of DATA frames, and no option sets the window of a stream. nghttp2 offers callbacks for that, which only
// libcurl can set: so eight entries of libcurl's own table of imported functions are replaced by the functions below.
// No function of nghttp2 is defined, and other users of nghttp2 in the process are not affected.
//
// The entries are changed before main(), in memory that the loader protects otherwise (RELRO); the protection is
// restored. Unless all of them are found, none is changed, and frames are not observed: then libcurl's own results
// count.
#define _GNU_SOURCE
#include "frames.h"
#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

// nghttp2's public structures, as far as they are used: they belong to the interface of its library version (14).
struct frame_head {
    size_t length;
    int32_t stream;
    uint8_t type;
    uint8_t flags;
    uint8_t reserved;
};

struct data_frame {
    struct frame_head head;
    size_t padding;
};

struct reset_frame {
    struct frame_head head;
    uint32_t error;
};

struct goaway_frame {
    struct frame_head head;
    int32_t last_stream;
    uint32_t error;
};

struct setting {
    int32_t identifier;
    uint32_t value;
};

// RFC 9113 6.
enum { DATA = 0, HEADERS = 1, RST_STREAM = 3, GOAWAY = 7 };
enum { END_STREAM = 1 };
enum { INITIAL_WINDOW_SIZE = 4 };

typedef int (*frame_callback)(void *session, const struct frame_head *frame, void *context);
typedef int (*header_callback)(void *session, const struct frame_head *frame, const uint8_t *name, size_t name_length, const uint8_t *value,
                               size_t value_length, uint8_t flags, void *context);
typedef int (*close_callback)(void *session, int32_t stream, uint32_t error, void *context);

static void (*library_set_frame_received)(void *callbacks, frame_callback callback);
static void (*library_set_frame_sent)(void *callbacks, frame_callback callback);
static void (*library_set_header)(void *callbacks, header_callback callback);
static void (*library_set_closed)(void *callbacks, close_callback callback);
static int (*library_submit_settings)(void *session, uint8_t flags, const struct setting *settings, size_t count);
static int (*library_set_window)(void *session, uint8_t flags, int32_t stream, int32_t size);
static int (*library_update_window)(void *session, uint8_t flags, int32_t stream, int32_t increment);
static void *(*library_request)(void *session, int32_t stream);
static void (*library_delete)(void *session);
static int (*library_consume)(void *session, int32_t stream, size_t count);

// The callbacks set by libcurl, which are the same for all connections.
static _Atomic(frame_callback) curl_frame_received;
static _Atomic(frame_callback) curl_frame_sent;
static _Atomic(header_callback) curl_header;
static _Atomic(close_callback) curl_closed;

static _Thread_local cframes_observer current_observer;
static _Thread_local void *current_context;

void cframes_observe(cframes_observer observer, void *context) {
    current_context = context;
    current_observer = observer;
}

static int report(cframes_event event, void *session, int32_t stream, uint32_t number) {
    if (current_observer == 0) return 0;
    void *request = stream == 0 ? 0 : library_request(session, stream);
    if (stream != 0 && request == 0) return 0;
    return current_observer(current_context, event, session, request, number);
}

static int frame_received(void *session, const struct frame_head *frame, void *context) {
    switch (frame->type) {
        case DATA: {
            const size_t padding = ((const struct data_frame *)frame)->padding;
            report(CFRAMES_DATA, session, frame->stream, (uint32_t)(frame->length - padding));
            if (frame->flags & END_STREAM) report(CFRAMES_END, session, frame->stream, 0);
            break;
        }
        case HEADERS:
            report(CFRAMES_HEAD, session, frame->stream, 0);
            if (frame->flags & END_STREAM) report(CFRAMES_END, session, frame->stream, 0);
            break;
        case RST_STREAM:
            // > RFC 9113 8.1: Clients MUST NOT discard responses as a result of receiving such a RST_STREAM. 7.88 does. That the stream
            // is closed is reported to it all the same.
            if (report(CFRAMES_RESET, session, frame->stream, ((const struct reset_frame *)frame)->error)) return 0;
            break;
        case GOAWAY: report(CFRAMES_GOAWAY, session, 0, ((const struct goaway_frame *)frame)->error); break;
        default: break;
    }
    frame_callback callback = curl_frame_received;
    return callback == 0 ? 0 : callback(session, frame, context);
}

// A number below CFRAMES_NO_LENGTH; CFRAMES_NO_LENGTH for anything else.
static uint32_t number(const uint8_t *digits, size_t count) {
    uint64_t value = 0;
    if (count == 0 || count > 10) return CFRAMES_NO_LENGTH;
    for (size_t index = 0; index < count; index++) {
        if (digits[index] < '0' || digits[index] > '9') return CFRAMES_NO_LENGTH;
        value = value * 10 + (uint64_t)(digits[index] - '0');
    }
    return value < CFRAMES_NO_LENGTH ? (uint32_t)value : CFRAMES_NO_LENGTH;
}

static int header_received(void *session, const struct frame_head *frame, const uint8_t *name, size_t name_length, const uint8_t *value,
                           size_t value_length, uint8_t flags, void *context) {
    if (frame->type == HEADERS) {
        if (name_length == 7 && memcmp(name, ":status", 7) == 0) {
            report(CFRAMES_STATUS, session, frame->stream, number(value, value_length));
        } else if (name_length == 14 && memcmp(name, "content-length", 14) == 0) {
            report(CFRAMES_LENGTH, session, frame->stream, number(value, value_length));
        }
    }
    header_callback callback = curl_header;
    return callback == 0 ? 0 : callback(session, frame, name, name_length, value, value_length, flags, context);
}

static int frame_sent(void *session, const struct frame_head *frame, void *context) {
    if (frame->type == HEADERS) {
        report(CFRAMES_REQUEST, session, frame->stream, (uint32_t)frame->stream);
    } else if (frame->type == GOAWAY && ((const struct goaway_frame *)frame)->error != 0) {
        report(CFRAMES_VIOLATION, session, 0, ((const struct goaway_frame *)frame)->error);
    }
    frame_callback callback = curl_frame_sent;
    return callback == 0 ? 0 : callback(session, frame, context);
}

static int closed(void *session, int32_t stream, uint32_t error, void *context) {
    if (report(CFRAMES_CLOSED, session, stream, error)) error = 0;
    close_callback callback = curl_closed;
    return callback == 0 ? 0 : callback(session, stream, error, context);
}

static void set_frame_received(void *callbacks, frame_callback callback) {
    curl_frame_received = callback;
    library_set_frame_received(callbacks, frame_received);
    // 7.88 sets none.
    library_set_frame_sent(callbacks, frame_sent);
}

static void set_frame_sent(void *callbacks, frame_callback callback) {
    curl_frame_sent = callback;
    library_set_frame_sent(callbacks, frame_sent);
}

static void set_header(void *callbacks, header_callback callback) {
    curl_header = callback;
    library_set_header(callbacks, header_received);
}

static void set_closed(void *callbacks, close_callback callback) {
    curl_closed = callback;
    library_set_closed(callbacks, closed);
}

// > libcurl lets a provider send 32 MiB (7.88) or 10 MiB (8.x) of each response, whether its reader is paused or not.
static int submit_settings(void *session, uint8_t flags, const struct setting *settings, size_t count) {
    struct setting ours[8];
    if (count > sizeof ours / sizeof *ours) return library_submit_settings(session, flags, settings, count);
    for (size_t index = 0; index < count; index++) {
        ours[index] = settings[index];
        if (ours[index].identifier == INITIAL_WINDOW_SIZE && ours[index].value > CFRAMES_WINDOW) ours[index].value = CFRAMES_WINDOW;
    }
    return library_submit_settings(session, flags, ours, count);
}

// > Where libcurl sends the updates of windows itself (8.x), a window that is larger again allows nothing by itself: what was consumed
// while it was smaller has not been announced.
static int set_window(void *session, uint8_t flags, int32_t stream, int32_t size) {
    const int result = library_set_window(session, flags, stream, size);
    if (result == 0 && stream != 0 && size > 0 && library_consume != 0) (void)library_consume(session, stream, 0);
    return result;
}

// The stream whose window was last made smaller than libcurl wanted.
static _Thread_local const void *smaller_session;
static _Thread_local int32_t smaller_stream;

// > libcurl sets the window anew whenever it resumes a transfer, be it only its upload.
static int set_local_window_size(void *session, uint8_t flags, int32_t stream, int32_t size) {
    if (stream != 0 && size > 0 && report(CFRAMES_ALLOWANCE, session, stream, (uint32_t)size)) return 0;
    const int is_smaller = stream != 0 && size > CFRAMES_WINDOW;
    smaller_session = is_smaller ? session : 0;
    smaller_stream = stream;
    return set_window(session, flags, stream, is_smaller ? CFRAMES_WINDOW : size);
}

// 8.x also sends the difference, although the library has announced the larger window.
static int submit_window_update(void *session, uint8_t flags, int32_t stream, int32_t increment) {
    if (smaller_session == session && smaller_stream == stream) {
        smaller_session = 0;
        return 0;
    }
    return library_update_window(session, flags, stream, increment);
}

static void delete_session(void *session) {
    report(CFRAMES_GONE, session, 0, 0);
    library_delete(session);
}

void cframes_set_window(const void *connection, int32_t stream, int32_t size) {
    (void)set_window((void *)connection, 0, stream, size);
}

// The functions that libcurl calls instead of nghttp2's.
static const struct {
    const char *name;
    void *replacement;
    void **library;
    // Whether every version of libcurl calls it.
    int is_needed;
} replaced[] = {
    {"nghttp2_session_callbacks_set_on_frame_recv_callback", (void *)set_frame_received, (void **)&library_set_frame_received, 1},
    {"nghttp2_session_callbacks_set_on_frame_send_callback", (void *)set_frame_sent, (void **)&library_set_frame_sent, 0},
    {"nghttp2_session_callbacks_set_on_header_callback", (void *)set_header, (void **)&library_set_header, 1},
    {"nghttp2_session_callbacks_set_on_stream_close_callback", (void *)set_closed, (void **)&library_set_closed, 1},
    {"nghttp2_submit_settings", (void *)submit_settings, (void **)&library_submit_settings, 1},
    {"nghttp2_session_set_local_window_size", (void *)set_local_window_size, (void **)&library_set_window, 1},
    {"nghttp2_submit_window_update", (void *)submit_window_update, (void **)&library_update_window, 0},
    {"nghttp2_session_del", (void *)delete_session, (void **)&library_delete, 1},
};
enum { replaced_count = sizeof replaced / sizeof *replaced };

#if defined(__x86_64__)
enum { slot_of_call = R_X86_64_JUMP_SLOT, slot_of_address = R_X86_64_GLOB_DAT };
#elif defined(__aarch64__)
enum { slot_of_call = R_AARCH64_JUMP_SLOT, slot_of_address = R_AARCH64_GLOB_DAT };
#else
enum { slot_of_call = -1, slot_of_address = -1 };
#endif

// The imports of one loaded object, from its dynamic section.
struct imports {
    uintptr_t base;
    const ElfW(Sym) *symbols;
    const char *names;
    const ElfW(Rela) *tables[2];
    size_t sizes[2];
};

static struct imports imports_of(const struct link_map *object) {
    struct imports imports = {.base = object->l_addr};
    for (const ElfW(Dyn) *entry = object->l_ld; entry->d_tag != DT_NULL; entry++) {
        switch (entry->d_tag) {
            // > The loader has replaced these by addresses (dl-load.c of the GNU C library).
            case DT_SYMTAB: imports.symbols = (const void *)entry->d_un.d_ptr; break;
            case DT_STRTAB: imports.names = (const void *)entry->d_un.d_ptr; break;
            case DT_JMPREL: imports.tables[0] = (const void *)entry->d_un.d_ptr; break;
            case DT_PLTRELSZ: imports.sizes[0] = entry->d_un.d_val; break;
            case DT_RELA: imports.tables[1] = (const void *)entry->d_un.d_ptr; break;
            case DT_RELASZ: imports.sizes[1] = entry->d_un.d_val; break;
            default: break;
        }
    }
    return imports;
}

// Where the object stores the address of the function `name`; NULL if it does not import it.
static void **slot(const struct imports *imports, const char *name) {
    for (int table = 0; table < 2; table++) {
        const ElfW(Rela) *entries = imports->tables[table];
        if (entries == 0) continue;
        for (size_t index = 0; index < imports->sizes[table] / sizeof *entries; index++) {
            const int type = (int)ELF64_R_TYPE(entries[index].r_info);
            if (type != slot_of_call && type != slot_of_address) continue;
            const ElfW(Sym) *symbol = &imports->symbols[ELF64_R_SYM(entries[index].r_info)];
            if (strcmp(imports->names + symbol->st_name, name) == 0) return (void **)(imports->base + entries[index].r_offset);
        }
    }
    return 0;
}

// The memory that the loader has made read-only after relocation.
struct protected_memory {
    const void *address;
    uintptr_t start, end;
};

static int find_protected(struct dl_phdr_info *object, size_t size, void *context) {
    (void)size;
    struct protected_memory *memory = context;
    struct protected_memory found = {.address = memory->address};
    int is_here = 0;
    for (int index = 0; index < object->dlpi_phnum; index++) {
        const ElfW(Phdr) *segment = &object->dlpi_phdr[index];
        const uintptr_t start = object->dlpi_addr + segment->p_vaddr, end = start + segment->p_memsz;
        if (segment->p_type == PT_LOAD && (uintptr_t)memory->address - start < segment->p_memsz) is_here = 1;
        if (segment->p_type == PT_GNU_RELRO) {
            found.start = start;
            found.end = end;
        }
    }
    if (!is_here) return 0;
    *memory = found;
    return 1;
}

static int set_slot(void **place, void *function) {
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), start = (uintptr_t)place & ~(page - 1);
    struct protected_memory memory = {.address = place};
    dl_iterate_phdr(find_protected, &memory);
    // > The loader protects whole pages only.
    const int is_protected = start >= (memory.start & ~(page - 1)) && start + page <= (memory.end & ~(page - 1));
    if (is_protected && mprotect((void *)start, page, PROT_READ | PROT_WRITE) != 0) return 0;
    *place = function;
    if (is_protected) (void)mprotect((void *)start, page, PROT_READ);
    return 1;
}

static int is_bound;

// Runs before any thread is started.
__attribute__((constructor)) static void bind_imports(void) {
    for (int index = 0; index < replaced_count; index++) *replaced[index].library = dlsym(RTLD_DEFAULT, replaced[index].name);
    *(void **)&library_request = dlsym(RTLD_DEFAULT, "nghttp2_session_get_stream_user_data");
    *(void **)&library_consume = dlsym(RTLD_DEFAULT, "nghttp2_session_consume_stream");
    void *curl = dlsym(RTLD_DEFAULT, "curl_multi_perform");
    Dl_info info;
    struct link_map *object = 0;
    if (curl == 0 || library_request == 0 || dladdr1(curl, &info, (void **)&object, RTLD_DL_LINKMAP) == 0 || object == 0) return;
    const struct imports imports = imports_of(object);
    if (imports.symbols == 0 || imports.names == 0) return;
    void **slots[replaced_count];
    for (int index = 0; index < replaced_count; index++) {
        slots[index] = slot(&imports, replaced[index].name);
        if (slots[index] == 0 ? replaced[index].is_needed : *replaced[index].library == 0) return;
    }
    for (int index = 0; index < replaced_count; index++) {
        if (slots[index] != 0 && !set_slot(slots[index], replaced[index].replacement)) return;
    }
    is_bound = 1;
}

int cframes_are_observed(void) { return is_bound; }
