// SPDX-License-Identifier: Apache-2.0

import StowageTestSupport
import Testing

/// One operation that is killed at each of its steps.
struct CrashedOperation: Sendable, CustomTestStringConvertible {
  let name: String
  /// Brings a fresh store into the state before the operation.
  let prepare: @Sendable (CrashStore) throws -> Void
  /// Verb and arguments, without store options.
  let words: [String]
  /// Brings the store from the new state back to the old one.
  let revert: @Sendable (CrashStore) throws -> Void

  var testDescription: String { name }

  private static let image = "localhost/stowage-demo:latest"

  static let all: [CrashedOperation] = [
    CrashedOperation(
      name: "load", prepare: { _ in }, words: ["load", "-q", "@docker-archive"],
      revert: { try $0.stowage("delete-image", image) }),
    CrashedOperation(
      name: "import-layer", prepare: { try $0.stowage("create-layer", "-r", "--id", "base") },
      words: ["import-layer", "-r", "--id", "imported", "-n", "name", "-f", "@layer", "base"],
      revert: { try $0.stowage("delete-layer", "imported") }),
    CrashedOperation(
      name: "create-layer", prepare: { try $0.stowage("create-layer", "-r", "--id", "base") },
      words: ["create-layer", "--id", "made", "base"], revert: { try $0.stowage("delete-layer", "made") }),
    CrashedOperation(
      name: "create-image", prepare: { try $0.stowage("create-layer", "-r", "--id", "base") },
      words: ["create-image", "--id", "made", "-n", "name", "-m", "text", "base"],
      revert: { try $0.stowage("delete", "made") }),
    CrashedOperation(
      name: "create-container", prepare: { try $0.stowage("load", "-q", "@docker-archive") },
      words: ["create-container", "--id", "made", "-n", "name", image],
      revert: { try $0.stowage("delete-container", "made") }),
    CrashedOperation(
      name: "delete-container",
      prepare: {
        try $0.stowage("load", "-q", "@docker-archive")
        try $0.stowage("create-container", "--id", "made", image)
      },
      words: ["delete-container", "made"], revert: { try $0.stowage("create-container", "--id", "made", image) }),
    CrashedOperation(
      name: "delete-image", prepare: { try $0.stowage("load", "-q", "@docker-archive") },
      words: ["delete-image", image], revert: { try $0.stowage("load", "-q", "@docker-archive") }),
    CrashedOperation(
      name: "delete-layer",
      prepare: { try $0.stowage("import-layer", "-r", "--id", "made", "-f", "@layer") },
      words: ["delete-layer", "made"],
      revert: { try $0.stowage("import-layer", "-r", "--id", "made", "-f", "@layer") }),
    CrashedOperation(
      name: "set-image-data", prepare: { try $0.stowage("load", "-q", "@docker-archive") },
      words: ["set-image-data", "-f", "@layer", image, "item"],
      revert: {
        try $0.stowage("delete-image", image)
        try $0.stowage("load", "-q", "@docker-archive")
      }),
    CrashedOperation(
      name: "load an image again with another manifest",
      prepare: { try $0.stowage("load", "-q", "@docker-archive") },
      words: ["load", "-q", "--name", "localhost/other:1", "@oci-archive"],
      revert: {
        try $0.stowage("delete-image", image)
        try $0.stowage("load", "-q", "@docker-archive")
      }),
    CrashedOperation(
      name: "set-image-data that replaces an item",
      prepare: {
        try $0.stowage("load", "-q", "@docker-archive")
        try $0.stowage("set-image-data", "-f", "@directory/a", image, "item")
      },
      words: ["set-image-data", "-f", "@layer", image, "item"],
      revert: { try $0.stowage("set-image-data", "-f", "@directory/a", image, "item") }),
    CrashedOperation(
      name: "set-container-data",
      prepare: {
        try $0.stowage("load", "-q", "@docker-archive")
        try $0.stowage("create-container", "--id", "made", image)
      },
      words: ["set-container-data", "-f", "@layer", "made", "item"],
      revert: {
        try $0.stowage("delete-container", "made")
        try $0.stowage("create-container", "--id", "made", image)
      }),
    CrashedOperation(
      name: "set-layer-data", prepare: { try $0.stowage("create-layer", "-r", "--id", "base") },
      words: ["set-layer-data", "-f", "@layer", "base", "item"],
      revert: {
        try $0.stowage("delete-layer", "base")
        try $0.stowage("create-layer", "-r", "--id", "base")
      }),
  ]

  /// Layers that are made together, where the driver can extract several at once.
  static let loadMany = CrashedOperation(
    name: "load an image of five layers", prepare: { _ in }, words: ["load", "-q", "@many-layers"],
    revert: { try $0.stowage("delete-image", "localhost/many:1") })

  /// Onto a layer without content; with other drivers it goes where it is.
  static let apply = CrashedOperation(
    name: "applydiff", prepare: { try $0.stowage("create-layer", "--id", "base") },
    words: ["applydiff", "-f", "@layer", "base"],
    revert: {
      try $0.stowage("delete-layer", "base")
      try $0.stowage("create-layer", "--id", "base")
    })

  /// Only overlay has it.
  static let putDirectory = CrashedOperation(
    name: "applydiff-using-staging-dir", prepare: { try $0.stowage("create-layer", "-r", "--id", "base") },
    words: ["applydiff-using-staging-dir", "made", "@directory"], revert: { try $0.stowage("delete-layer", "made") })
}
