#ifndef WEIR_BUILTIN_H
#define WEIR_BUILTIN_H

/// A file of Config/ that is part of the program.
struct weir_file {
    /// Its path below Config/, such as Profiles/stripe.yaml.
    const char *path;
    /// Its contents, for as long as the program runs; no zero at the end.
    const unsigned char *bytes;
    unsigned long count;
};

/// How many there are.
unsigned long weir_file_count(void);

/// One of them; `index` is less than their number.
struct weir_file weir_file_at(unsigned long index);

#endif
