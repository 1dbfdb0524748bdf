// SPDX-License-Identifier: Apache-2.0

import Glibc
import StowageDigest
import StowageModel
import StowageTestSupport
import Testing

@testable import StowageOCI

/// Archives made to hurt: every one must end in an error that names the member.
@Suite("Damaged image archives") struct DamagedArchiveTests {
  static let config = #"{"rootfs":{"type":"layers","diff_ids":["sha256:\#(emptyDigest)"]}}"#
  static let emptyDigest = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

  /// A docker-archive with an empty layer and the given documents.
  private func archive(
    _ manifest: String = #"[{"Config":"c.json","RepoTags":["x:1"],"Layers":["l.tar"]}]"#,
    config: String = DamagedArchiveTests.config, edit: (inout TarBuilder) -> Void = { _ in }
  ) -> [UInt8] {
    var builder = TarBuilder()
    edit(&builder)
    builder.add("manifest.json", text: manifest)
    builder.add("c.json", text: config)
    builder.add("l.tar")
    return builder.finished
  }

  private func failure(_ bytes: [UInt8]) -> StorageError? {
    let scratch = Scratch()
    let path = scratch.write(bytes)
    return #expect(throws: StorageError.self) { try plans(path) }
  }

  @Test func `The archive the others are made from is sound`() throws {
    let scratch = Scratch()
    #expect(try plans(scratch.write(archive())).map(\.names) == [["localhost/x:1"]])
  }

  @Test(arguments: ["sample-docker-archive.tar", "sample-oci-archive.tar"])
  func `A truncated archive never plans an image with incomplete layers`(name: String) throws {
    let whole = try contents(fixture(name))
    let expected = try plans(fixture(name)).first?.manifestDigest
    let scratch = Scratch()
    for length in stride(from: 0, to: whole.count, by: 97) {
      let path = scratch.write(Array(whole.prefix(length)))
      do throws(StorageError) {
        for plan in try plans(path) {
          #expect(plan.manifestDigest == expected)
          for layer in plan.layers { #expect(layer.blob.offset + layer.blob.size <= Int64(length)) }
        }
      } catch {
        #expect(error.code == .invalidArchive)
      }
    }
  }

  @Test(arguments: ["gzip", "zstd -q", "xz", "bzip2"])
  func `A truncated compressed archive is refused`(compressor: String) throws {
    let scratch = Scratch()
    try shell("\(compressor) -c < \(fixture("sample-oci-archive.tar")) > \(scratch.path)/a")
    let whole = try contents("\(scratch.path)/a")
    for part in 1...9 {
      let path = scratch.write(Array(whole.prefix(whole.count * part / 10)), "b")
      #expect(throws: StorageError.self) { try plans(path) }
    }
  }

  @Test func `One changed byte never gives another image`() throws {
    let whole = try contents(fixture("sample-oci-archive.tar"))
    let expected = try plans(fixture("sample-oci-archive.tar")).first
    let scratch = Scratch()
    for position in stride(from: 3, to: whole.count, by: 131) {
      var bytes = whole
      bytes[position] ^= 0x55
      guard let plan = try? plans(scratch.write(bytes)).first else { continue }
      #expect(plan.manifestDigest == expected?.manifestDigest)
      #expect(plan.configDigest == expected?.configDigest)
    }
  }

  @Test func `Junk is no archive, and the message says so`() {
    let message = failure([UInt8](repeating: 0x41, count: 5000))?.message
    #expect(message?.hasPrefix("payload does not match any of the supported image formats:\n * oci-archive: ") == true)
    #expect(failure([])?.code == .invalidArchive)
    #expect(failure([1])?.code == .invalidArchive)
    var unrelated = TarBuilder()
    unrelated.add("etc/passwd", text: "root")
    #expect(failure(unrelated.finished)?.message.contains("no manifest.json") == true)
  }

  @Test(arguments: [
    (#"[]"#, "no image"), (#"[{}]"#, "no Config"), (#"[{"Config":"c.json","Layers":[]}]"#, "Inconsistent layer count"),
    (#"[{"Config":"c.json","Layers":["l.tar","l.tar"]}]"#, "Inconsistent layer count: 2 in manifest, 1 in config"),
    (#"[{"Config":"c.json","Layers":["nothing.tar"]}]"#, "Some layer tarfiles are missing in the tarball"),
    (#"[{"Config":"none.json","Layers":["l.tar"]}]"#, "none.json: not in the archive"),
    (#"[{"Config":"../../etc/passwd","Layers":["l.tar"]}]"#, "not in the archive"),
    (#"[{"Config":"c.json","Layers":"l.tar"}]"#, "not an array"),
    (#"[{"Config":"c.json","Layers":[7]}]"#, "not a string"),
    (#"[{"Config":7}]"#, "not a string"), (#"[7]"#, "no Config"), (#"[{"Config":"c.json""#, "manifest.json: "),
    (#"7"#, "neither"), (#"[{"Config":"c.json","Layers":["l.tar"],"RepoTags":["x"]}]"#, "not a name with a tag"),
    (#"[{"Config":"c.json","Layers":["l.tar"],"RepoTags":["X:1"]}]"#, "lowercase"),
  ])
  func `A manifest that makes no sense is refused`(manifest: String, reason: String) {
    #expect(failure(archive(manifest))?.message.contains(reason) == true)
  }

  @Test(arguments: [
    (#"{}"#, "no rootfs"), (#"{"rootfs":7}"#, "no rootfs"), (#"{"rootfs":{"diff_ids":["x"]}}"#, "checksum"),
    (#"{"rootfs":{"diff_ids":[1]}}"#, "not a string"), (#"[]"#, "no rootfs"),
    (#"{"rootfs":{"diff_ids":["sha512:\#(String(repeating: "a", count: 128))"]}}"#, "not supported"),
    (#"{"created":"yesterday","rootfs":{"diff_ids":["sha256:\#(emptyDigest)"]}}"#, "not a time"),
  ])
  func `A configuration that makes no sense is refused`(config: String, reason: String) {
    #expect(failure(archive(config: config))?.message.contains(reason) == true)
  }

  @Test func `Deep and large documents are refused`() {
    #expect(failure(archive(String(repeating: "[", count: 200_000)))?.message.contains("manifest.json") == true)
    let large = "[" + String(repeating: " ", count: 1 << 20) + "]"
    #expect(failure(archive(large))?.message.contains("more than the 1048576 allowed") == true)
    let config = "{" + String(repeating: " ", count: 4 << 20) + "}"
    #expect(failure(archive(config: config))?.message.contains("c.json") == true)
  }

  @Test func `An image of thousands of layers is refused before any is read`() {
    let layers = Array(repeating: #""l""#, count: 50_000).joined(separator: ",")
    let ids = Array(repeating: "\"sha256:\(Self.emptyDigest)\"", count: 50_000).joined(separator: ",")
    let bytes = archive(
      #"[{"Config":"c.json","Layers":[\#(layers)]}]"#, config: #"{"rootfs":{"diff_ids":[\#(ids)]}}"#)
    #expect(failure(bytes)?.message == "manifest.json: 50000 layers, more than the 2048 allowed")
  }

  @Test(.tags(.slow)) func `Names of members are kept up to a limit, and targets too long to lead anywhere not at all`()
    throws
  {
    func long(_ kind: Character, _ name: String, _ text: [UInt8]) -> [UInt8] {
      var builder = TarBuilder()
      builder.add("././@LongLink", text, kind: kind)
      builder.add(name, kind: kind == "K" ? "2" : "0", link: "t")
      return builder.bytes
    }
    let scratch = Scratch()
    let targets = (0..<20).flatMap { long("K", "s\($0)", [UInt8](repeating: 0x70, count: 1 << 20)) }
    #expect(try plans(scratch.write(targets + archive())).map(\.names) == [["localhost/x:1"]])
    let names = (0..<4200).flatMap { long("L", "n", Array(("\($0)/" + String(repeating: "p", count: 4000)).utf8)) }
    #expect(failure(names + archive())?.message.contains("bytes of names") == true)
  }

  @Test func `Of two members with a name the first counts in a docker-archive`() throws {
    let scratch = Scratch()
    let bytes = archive("[]") { builder in
      builder.add("./manifest.json", text: #"[{"Config":"c.json","RepoTags":["first:1"],"Layers":["l.tar"]}]"#)
    }
    #expect(try plans(scratch.write(bytes)).first?.names == ["localhost/first:1"])
  }

  @Test(arguments: [
    "index.json", "manifest.json", "version", "blobs/sha256/\(String(repeating: "a", count: 64))", "signature-1",
  ])
  func `Files of a layout that are links out of it, FIFOs or devices are not read (CVE-2025-11395)`(name: String) throws
  {
    let scratch = Scratch()
    try shell(
      """
      mkdir -p \(scratch.path)/d/blobs/sha256; echo '[]' > \(scratch.path)/secret; cd \(scratch.path)/d
      """)
    let container: DirectoryContainer
    guard case .directory(let opened) = try ArchiveInput.open(.path("\(scratch.path)/d")) else {
      throw CommandFailure(description: "")
    }
    container = opened
    for make in ["ln -s \(scratch.path)/secret", "ln -s ../../../\(scratch.path)/secret", "ln -s /proc/self/environ"] {
      try shell("cd \(scratch.path)/d; \(make) \(name)")
      #expect(try container.blob(at: name)?.name == nil, "\(make)")
      try shell("rm \(scratch.path)/d/\(name)")
    }
    for make in ["mkfifo $n", "mkdir $n"] + (geteuid() == 0 ? ["mknod $n c 1 3"] : []) {
      try shell("cd \(scratch.path)/d; n=\(name); \(make)")
      #expect(throws: StorageError.self, "\(make)") { _ = try container.blob(at: name) }
      try shell("rm -r \(scratch.path)/d/\(name)")
    }
  }

  /// The files that the links name are what the archive would need.
  @Test(arguments: ["manifest.json", "c.json", "l.tar", "index.json"], ["1", "2"] as [Character])
  func `Members of an archive that are links to files of the host are never read (CVE-2025-11395)`(
    name: String, kind: Character
  ) throws {
    let scratch = Scratch()
    let wanted = [
      "manifest.json": #"[{"Config":"c.json","RepoTags":["x:1"],"Layers":["l.tar"]}]"#, "c.json": Self.config,
      "index.json": #"{"schemaVersion":2,"manifests":[]}"#,
    ]
    let file = scratch.write(Array((wanted[name] ?? "").utf8), "host")
    for target in [file, String(repeating: "../", count: 9) + file.dropFirst(), ".//\(file)"] {
      let link: (inout TarBuilder) -> Void = { $0.add(name, kind: kind, link: target) }
      var layout = TarBuilder()
      link(&layout)
      let bytes = name == "index.json" ? layout.finished : archive(edit: link)
      let error = failure(bytes)
      #expect(error?.code == .invalidArchive, "\(error?.message ?? "")")
      #expect(try contents(file) == Array((wanted[name] ?? "").utf8))
    }
  }

  @Test func `A layer that is a directory, a device or a loop of links is refused`() {
    for kind in ["5", "3", "6", "1"] as [Character] {
      let bytes = archive { $0.add("l.tar", kind: kind, link: "c.json") }
      #expect(failure(bytes)?.message.contains("not a regular file") == true)
    }
    #expect(
      failure(archive { $0.add("l.tar", kind: "2", link: "l.tar") })?.message.contains("not a regular file") == true)
    #expect(failure(archive { $0.add("l.tar", kind: "2", link: "/etc/shadow") })?.message.contains("a link to") == true)
    #expect(failure(archive { $0.add("l.tar", kind: "2", link: "../../c") })?.message.contains("a link to") == true)
  }

  @Test func `Sizes beyond the file are refused`() {
    for size in [1 << 20, 0o777_7777_7777] {
      #expect(failure(archive { $0.add("huge", claimedSize: size) })?.code == .invalidArchive)
    }
  }

  @Test func `A blob with another digest or size than its descriptor is refused`() throws {
    let scratch = Scratch()
    try shell("tar xf \(fixture("sample-oci-archive.tar")) -C \(scratch.path)")
    let config = "blobs/sha256/\(FormatTests.imageID)"
    var bytes = try contents("\(scratch.path)/\(config)")
    bytes[10] ^= 1
    _ = scratch.write(bytes, config)
    let error = #expect(throws: StorageError.self) { try plans(scratch.path) }
    #expect(error?.code == .digestMismatch)
    #expect(error?.message.hasPrefix("\(config): digest is sha256:") == true)
    _ = scratch.write(bytes + [0], config)
    let second = #expect(throws: StorageError.self) { try plans(scratch.path) }
    #expect(second?.message.contains("506 bytes, but the descriptor says 505") == true)
  }

  @Test func `An artifact and a schema 1 manifest are not supported`() throws {
    let scratch = Scratch()
    for (text, reason) in [
      (
        #"{"config":{"mediaType":"application/vnd.cncf.helm.config.v1+json","digest":"sha256:\#(DamagedArchiveTests.emptyDigest)","size":2}}"#,
        "artifact"
      ), (#"{"schemaVersion":1,"fsLayers":[]}"#, "schema 1"),
    ] {
      _ = scratch.write(Array(text.utf8), "manifest.json")
      let error = #expect(throws: StorageError.self) { try plans(scratch.path) }
      #expect(error?.code == .notSupported)
      #expect(error?.message.contains(reason) == true)
    }
  }

  @Test func `Paths are cleaned without leaving the archive`() {
    func cleaned(_ text: String) -> String { String(decoding: cleanedPath(Array(text.utf8)), as: UTF8.self) }
    #expect(cleaned("./a//b/./c/") == "a/b/c")
    #expect(cleaned("a/../b") == "b")
    #expect(cleaned("../a") == "../a")
    #expect(cleaned("a/../../b") == "../b")
    #expect(cleaned("/../a") == "/a")
    #expect(cleaned("") == "")
  }
}
