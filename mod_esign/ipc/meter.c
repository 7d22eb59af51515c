/* SPDX-License-Identifier: Apache-2.0 */
/* meter.c: allocates a meter in shared memory. */
#include "meter.h"

#include <apr_shm.h>

#include <string.h>

esign_result_t esign_meter_create(esign_meter_t **meter, apr_pool_t *p)
{
    apr_shm_t *memory;
    apr_status_t status = apr_shm_create(&memory, sizeof(**meter), NULL, p);
    if (status != APR_SUCCESS)
        return esign_result_make(p, status, "meter", "no shared memory");
    *meter = apr_shm_baseaddr_get(memory);
    memset(*meter, 0, sizeof(**meter));
    return ESIGN_OK;
}
