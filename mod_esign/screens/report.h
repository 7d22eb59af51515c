/* SPDX-License-Identifier: Apache-2.0 */
/* report.h: delivery reports of SMS gateways. */
#ifndef ESIGN_SCREENS_REPORT_H
#define ESIGN_SCREENS_REPORT_H

#include "web/request.h"

esign_screen_fn esign_report_any;

#endif
