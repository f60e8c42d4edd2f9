// The files of Config/ that are part of the program. #embed (C23) costs a compiler milliseconds where an array of literals costs minutes, and
// the build knows that this file depends on them. A test compares the list with the folders.

#include "builtin.h"

#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char airtable_cases_yaml[] = {
#embed "../../../Config/Profiles/airtable.cases.yaml"
};
static const unsigned char airtable_yaml[] = {
#embed "../../../Config/Profiles/airtable.yaml"
};
static const unsigned char anthropic_cases_yaml[] = {
#embed "../../../Config/Profiles/anthropic.cases.yaml"
};
static const unsigned char anthropic_yaml[] = {
#embed "../../../Config/Profiles/anthropic.yaml"
};
static const unsigned char apollo_cases_yaml[] = {
#embed "../../../Config/Profiles/apollo.cases.yaml"
};
static const unsigned char apollo_yaml[] = {
#embed "../../../Config/Profiles/apollo.yaml"
};
static const unsigned char brevo_cases_yaml[] = {
#embed "../../../Config/Profiles/brevo.cases.yaml"
};
static const unsigned char brevo_yaml[] = {
#embed "../../../Config/Profiles/brevo.yaml"
};
static const unsigned char generic_yaml[] = {
#embed "../../../Config/Profiles/generic.yaml"
};
static const unsigned char github_cases_yaml[] = {
#embed "../../../Config/Profiles/github.cases.yaml"
};
static const unsigned char github_yaml[] = {
#embed "../../../Config/Profiles/github.yaml"
};
static const unsigned char google_cases_yaml[] = {
#embed "../../../Config/Profiles/google.cases.yaml"
};
static const unsigned char google_yaml[] = {
#embed "../../../Config/Profiles/google.yaml"
};
static const unsigned char hubspot_cases_yaml[] = {
#embed "../../../Config/Profiles/hubspot.cases.yaml"
};
static const unsigned char hubspot_yaml[] = {
#embed "../../../Config/Profiles/hubspot.yaml"
};
static const unsigned char hunter_cases_yaml[] = {
#embed "../../../Config/Profiles/hunter.cases.yaml"
};
static const unsigned char hunter_yaml[] = {
#embed "../../../Config/Profiles/hunter.yaml"
};
static const unsigned char instantly_cases_yaml[] = {
#embed "../../../Config/Profiles/instantly.cases.yaml"
};
static const unsigned char instantly_yaml[] = {
#embed "../../../Config/Profiles/instantly.yaml"
};
static const unsigned char lemlist_yaml[] = {
#embed "../../../Config/Profiles/lemlist.yaml"
};
static const unsigned char lettr_yaml[] = {
#embed "../../../Config/Profiles/lettr.yaml"
};
static const unsigned char mailchimp_cases_yaml[] = {
#embed "../../../Config/Profiles/mailchimp.cases.yaml"
};
static const unsigned char mailchimp_yaml[] = {
#embed "../../../Config/Profiles/mailchimp.yaml"
};
static const unsigned char mailgun_cases_yaml[] = {
#embed "../../../Config/Profiles/mailgun.cases.yaml"
};
static const unsigned char mailgun_yaml[] = {
#embed "../../../Config/Profiles/mailgun.yaml"
};
static const unsigned char notion_cases_yaml[] = {
#embed "../../../Config/Profiles/notion.cases.yaml"
};
static const unsigned char notion_yaml[] = {
#embed "../../../Config/Profiles/notion.yaml"
};
static const unsigned char openai_cases_yaml[] = {
#embed "../../../Config/Profiles/openai.cases.yaml"
};
static const unsigned char openai_yaml[] = {
#embed "../../../Config/Profiles/openai.yaml"
};
static const unsigned char pipedrive_cases_yaml[] = {
#embed "../../../Config/Profiles/pipedrive.cases.yaml"
};
static const unsigned char pipedrive_yaml[] = {
#embed "../../../Config/Profiles/pipedrive.yaml"
};
static const unsigned char postmark_cases_yaml[] = {
#embed "../../../Config/Profiles/postmark.cases.yaml"
};
static const unsigned char postmark_yaml[] = {
#embed "../../../Config/Profiles/postmark.yaml"
};
static const unsigned char resend_cases_yaml[] = {
#embed "../../../Config/Profiles/resend.cases.yaml"
};
static const unsigned char resend_yaml[] = {
#embed "../../../Config/Profiles/resend.yaml"
};
static const unsigned char salesforce_cases_yaml[] = {
#embed "../../../Config/Profiles/salesforce.cases.yaml"
};
static const unsigned char salesforce_yaml[] = {
#embed "../../../Config/Profiles/salesforce.yaml"
};
static const unsigned char sendgrid_cases_yaml[] = {
#embed "../../../Config/Profiles/sendgrid.cases.yaml"
};
static const unsigned char sendgrid_yaml[] = {
#embed "../../../Config/Profiles/sendgrid.yaml"
};
static const unsigned char shopify_cases_yaml[] = {
#embed "../../../Config/Profiles/shopify.cases.yaml"
};
static const unsigned char shopify_yaml[] = {
#embed "../../../Config/Profiles/shopify.yaml"
};
static const unsigned char slack_cases_yaml[] = {
#embed "../../../Config/Profiles/slack.cases.yaml"
};
static const unsigned char slack_yaml[] = {
#embed "../../../Config/Profiles/slack.yaml"
};
static const unsigned char smartlead_cases_yaml[] = {
#embed "../../../Config/Profiles/smartlead.cases.yaml"
};
static const unsigned char smartlead_yaml[] = {
#embed "../../../Config/Profiles/smartlead.yaml"
};
static const unsigned char stripe_cases_yaml[] = {
#embed "../../../Config/Profiles/stripe.cases.yaml"
};
static const unsigned char stripe_yaml[] = {
#embed "../../../Config/Profiles/stripe.yaml"
};
static const unsigned char twilio_cases_yaml[] = {
#embed "../../../Config/Profiles/twilio.cases.yaml"
};
static const unsigned char twilio_yaml[] = {
#embed "../../../Config/Profiles/twilio.yaml"
};
static const unsigned char configuration_schema_json[] = {
#embed "../../../Config/Schemas/configuration.schema.json"
};
static const unsigned char problem_schema_json[] = {
#embed "../../../Config/Schemas/problem.schema.json"
};
static const unsigned char profile_schema_json[] = {
#embed "../../../Config/Schemas/profile.schema.json"
};

#define FILE(path, array) {path, array, sizeof array}

static const struct weir_file files[] = {
    FILE("Profiles/airtable.cases.yaml", airtable_cases_yaml),
    FILE("Profiles/airtable.yaml", airtable_yaml),
    FILE("Profiles/anthropic.cases.yaml", anthropic_cases_yaml),
    FILE("Profiles/anthropic.yaml", anthropic_yaml),
    FILE("Profiles/apollo.cases.yaml", apollo_cases_yaml),
    FILE("Profiles/apollo.yaml", apollo_yaml),
    FILE("Profiles/brevo.cases.yaml", brevo_cases_yaml),
    FILE("Profiles/brevo.yaml", brevo_yaml),
    FILE("Profiles/generic.yaml", generic_yaml),
    FILE("Profiles/github.cases.yaml", github_cases_yaml),
    FILE("Profiles/github.yaml", github_yaml),
    FILE("Profiles/google.cases.yaml", google_cases_yaml),
    FILE("Profiles/google.yaml", google_yaml),
    FILE("Profiles/hubspot.cases.yaml", hubspot_cases_yaml),
    FILE("Profiles/hubspot.yaml", hubspot_yaml),
    FILE("Profiles/hunter.cases.yaml", hunter_cases_yaml),
    FILE("Profiles/hunter.yaml", hunter_yaml),
    FILE("Profiles/instantly.cases.yaml", instantly_cases_yaml),
    FILE("Profiles/instantly.yaml", instantly_yaml),
    FILE("Profiles/lemlist.yaml", lemlist_yaml),
    FILE("Profiles/lettr.yaml", lettr_yaml),
    FILE("Profiles/mailchimp.cases.yaml", mailchimp_cases_yaml),
    FILE("Profiles/mailchimp.yaml", mailchimp_yaml),
    FILE("Profiles/mailgun.cases.yaml", mailgun_cases_yaml),
    FILE("Profiles/mailgun.yaml", mailgun_yaml),
    FILE("Profiles/notion.cases.yaml", notion_cases_yaml),
    FILE("Profiles/notion.yaml", notion_yaml),
    FILE("Profiles/openai.cases.yaml", openai_cases_yaml),
    FILE("Profiles/openai.yaml", openai_yaml),
    FILE("Profiles/pipedrive.cases.yaml", pipedrive_cases_yaml),
    FILE("Profiles/pipedrive.yaml", pipedrive_yaml),
    FILE("Profiles/postmark.cases.yaml", postmark_cases_yaml),
    FILE("Profiles/postmark.yaml", postmark_yaml),
    FILE("Profiles/resend.cases.yaml", resend_cases_yaml),
    FILE("Profiles/resend.yaml", resend_yaml),
    FILE("Profiles/salesforce.cases.yaml", salesforce_cases_yaml),
    FILE("Profiles/salesforce.yaml", salesforce_yaml),
    FILE("Profiles/sendgrid.cases.yaml", sendgrid_cases_yaml),
    FILE("Profiles/sendgrid.yaml", sendgrid_yaml),
    FILE("Profiles/shopify.cases.yaml", shopify_cases_yaml),
    FILE("Profiles/shopify.yaml", shopify_yaml),
    FILE("Profiles/slack.cases.yaml", slack_cases_yaml),
    FILE("Profiles/slack.yaml", slack_yaml),
    FILE("Profiles/smartlead.cases.yaml", smartlead_cases_yaml),
    FILE("Profiles/smartlead.yaml", smartlead_yaml),
    FILE("Profiles/stripe.cases.yaml", stripe_cases_yaml),
    FILE("Profiles/stripe.yaml", stripe_yaml),
    FILE("Profiles/twilio.cases.yaml", twilio_cases_yaml),
    FILE("Profiles/twilio.yaml", twilio_yaml),
    FILE("Schemas/configuration.schema.json", configuration_schema_json),
    FILE("Schemas/problem.schema.json", problem_schema_json),
    FILE("Schemas/profile.schema.json", profile_schema_json),
};

unsigned long weir_file_count(void) { return sizeof files / sizeof files[0]; }

struct weir_file weir_file_at(unsigned long index) { return files[index]; }
