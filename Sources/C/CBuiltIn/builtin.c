// The files of Config/ that are part of the program. #embed (C23) costs a compiler milliseconds where an array of literals costs minutes, and
// the build knows that this file depends on them. A test compares the list with the folders.

#include "builtin.h"

#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char generic_yaml[] = {
#embed "../../../Config/Profiles/generic.yaml"
};
static const unsigned char lemlist_yaml[] = {
#embed "../../../Config/Profiles/lemlist.yaml"
};
static const unsigned char lettr_yaml[] = {
#embed "../../../Config/Profiles/lettr.yaml"
};
static const unsigned char configuration_schema_json[] = {
#embed "../../../Config/Schemas/configuration.schema.json"
};
static const unsigned char problem_schema_json[] = {
#embed "../../../Config/Schemas/problem.schema.json"
};

#define FILE(path, array) {path, array, sizeof array}

static const struct weir_file files[] = {
    FILE("Profiles/generic.yaml", generic_yaml),
    FILE("Profiles/lemlist.yaml", lemlist_yaml),
    FILE("Profiles/lettr.yaml", lettr_yaml),
    FILE("Schemas/configuration.schema.json", configuration_schema_json),
    FILE("Schemas/problem.schema.json", problem_schema_json),
};

unsigned long weir_file_count(void) { return sizeof files / sizeof files[0]; }

struct weir_file weir_file_at(unsigned long index) { return files[index]; }
