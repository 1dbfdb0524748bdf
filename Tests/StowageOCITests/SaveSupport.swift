// SPDX-License-Identifier: Apache-2.0

import StowageDigest
import StowageModel
import StowageSystem
import SystemPackage

@testable import StowageOCI

/// An image made for a test.
struct MadeImage {
  var tags: [String]
  var layers: [[UInt8]]
  /// Members of the configuration besides `rootfs`, with a comma at the end.
  var config = #""architecture":"amd64","os":"linux","created":"2026-01-02T03:04:05.600Z","config":{"Cmd":["/x"]},"#

  /// A docker-archive with some images.
  static func archive(_ images: [MadeImage]) -> [UInt8] {
    var tar = TarBuilder()
    var items: [String] = []
    for image in images {
      let hexes = image.layers.map { sha256(of: $0).hex }
      for (hex, layer) in zip(hexes, image.layers) { tar.add("\(hex).tar", layer) }
      let ids = hexes.map { #""sha256:\#($0)""# }.joined(separator: ",")
      let config = #"{\#(image.config)"rootfs":{"type":"layers","diff_ids":[\#(ids)]}}"#
      let name = "\(sha256(of: Array(config.utf8)).hex).json"
      tar.add(name, text: config)
      let tags = image.tags.map { #""\#($0)""# }.joined(separator: ",")
      let files = hexes.map { #""\#($0).tar""# }.joined(separator: ",")
      items.append(#"{"Config":"\#(name)","RepoTags":[\#(tags)],"Layers":[\#(files)]}"#)
    }
    tar.add("manifest.json", text: "[\(items.joined(separator: ","))]")
    return tar.finished
  }
}

/// A layer with one file.
func layer(_ name: String, _ content: String) -> [UInt8] {
  var tar = TarBuilder()
  tar.add(name, text: content)
  return tar.finished
}

extension TestStore {
  /// Loads images made for a test.
  func make(_ images: MadeImage...) throws {
    try load(scratch.write(MadeImage.archive(images), "made-\(ImageID.random().rawValue.prefix(8)).tar"))
  }

  /// A directory for what is saved, empty.
  func output() throws -> String {
    let path = "\(scratch.path)/out"
    try Syscall.mkdir(FilePath(path), mode: 0o755)
    return path
  }

  /// What is in a directory, hidden entries too.
  func names(in path: String) throws -> [String] {
    try shell("ls -A \(path)").split(separator: "\n").map(String.init)
  }
}
