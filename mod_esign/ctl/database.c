/* SPDX-License-Identifier: Apache-2.0 */
/* database.c: the commands `db init` and `db upgrade`. */
#include "command.h"

#include "audit/chain.h"
#include "store/schema.h"

#include <stdio.h>

int esign_command_db_init(const esign_command_t *command)
{
    esign_database_t *database;
    esign_result_t result = esign_settings_database(command->settings, 0, &database, command->pool);
    if (esign_failed(result))
        return esign_command_fail_result(result);
    result = esign_schema_create(database, command->pool);
    if (!esign_failed(result))
        result = esign_audit_head_add(database, command->pool);
    result = esign_database_end(database, result, command->pool);
    return esign_failed(result) ? esign_command_fail_result(result) : ESIGN_EXIT_OK;
}

int esign_command_db_upgrade(const esign_command_t *command)
{
    esign_database_t *database;
    int from;
    esign_result_t result = esign_settings_database(command->settings, 0, &database, command->pool);
    if (!esign_failed(result))
        result = esign_schema_upgrade(database, &from, command->pool);
    if (esign_failed(result))
        return esign_command_fail_result(result);
    printf("schema version %d, before %d\n", ESIGN_SCHEMA_VERSION, from);
    return ESIGN_EXIT_OK;
}
