/* SPDX-License-Identifier: Apache-2.0 */
#include <isa-l/crc.h>
#include <isa-l/crc64.h>
#include <isa-l/igzip_lib.h>

/* The size macros are expressions over casts, which Swift does not import. */
enum {
  stowage_isal_level1_buffer = ISAL_DEF_LVL1_DEFAULT,
  stowage_isal_level2_buffer = ISAL_DEF_LVL2_DEFAULT,
  stowage_isal_level3_buffer = ISAL_DEF_LVL3_DEFAULT,
};
