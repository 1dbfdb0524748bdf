// SPDX-License-Identifier: Apache-2.0

@_exported public import StowageConfig
@_exported public import StowageModel
@_exported public import StowageOCI
@_exported public import StowageRegistry
@_exported public import StowageRootless
@_exported public import StowageStore
