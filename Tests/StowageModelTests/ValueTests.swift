// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import StowageModel

@Suite("Times in records") struct TimestampTests {
  @Test(
    arguments: [
      ("2026-11-23T20:01:43.26554487Z", 1_795_464_103, 265_544_870, "2026-11-23T20:01:43.26554487Z"),
      ("2026-01-02T03:04:05+02:00", 1_767_315_845, 0, "2026-01-02T03:04:05+02:00"),
      ("0001-01-01T00:00:00Z", -62_135_596_800, 0, "0001-01-01T00:00:00Z"),
      ("2024-02-29T23:59:59.100000000-00:30", 1_709_252_999, 100_000_000, "2024-02-29T23:59:59.1-00:30"),
      ("1969-12-31T23:59:59.5Z", -1, 500_000_000, "1969-12-31T23:59:59.5Z"),
      ("2026-01-02T03:04:05+00:00", 1_767_323_045, 0, "2026-01-02T03:04:05Z"),
      ("9999-12-31T23:59:59.9999999999Z", 253_402_300_799, 999_999_999, "9999-12-31T23:59:59.999999999Z"),
    ] as [(String, Int64, Int32, String)])
  func `Times are read and written`(text: String, seconds: Int64, nanoseconds: Int32, written: String) throws {
    let time = try #require(Timestamp(parsing: text))
    #expect(time.seconds == seconds)
    #expect(time.nanoseconds == nanoseconds)
    #expect(time.description == written)
  }

  @Test(arguments: [
    "", "2026-01-02", "2026-01-02T03:04:05", "2026-01-02t03:04:05Z", "2026-01-02T03:04:05z", "2026-13-02T03:04:05Z",
    "2025-02-29T00:00:00Z", "2026-04-31T00:00:00Z", "2026-01-02T24:00:00Z", "2026-01-02T03:60:05Z",
    "2026-01-02T03:04:60Z", "2026-01-02T03:04:05.Z", "2026-01-02T03:04:05,5Z", "2026-01-02T03:04:05+24:00",
    "2026-01-02T03:04:05+0200", " 2026-01-02T03:04:05Z", "2026-01-02T03:04:05Zx", "2026-00-02T03:04:05Z",
  ])
  func `Other texts are no times`(text: String) { #expect(Timestamp(parsing: text) == nil) }

  @Test func `The present is after 2025 and in order`() {
    let first = Timestamp.now()
    let second = Timestamp.now()
    #expect(first.seconds > 1_735_689_600)
    #expect(first <= second)
  }

  @Test(arguments: 0..<50)
  func `Random times survive writing and reading`(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    for _ in 0..<100 {
      let time = Timestamp(
        seconds: Int64.random(in: -62_135_500_000...253_402_200_000, using: &random),
        nanoseconds: Int32.random(in: 0..<1_000_000_000, using: &random),
        offsetMinutes: Int16.random(in: -1439...1439, using: &random))
      #expect(Timestamp(parsing: time.description) == time, "seed \(seed)")
    }
  }
}

@Suite("Identifiers") struct IdentifierTests {
  @Test func `Random identifiers have 64 hexadecimal digits, the first twelve not all decimal`() {
    for _ in 0..<200 {
      let text = LayerID.random().rawValue
      #expect(text.utf8.count == 64)
      #expect(text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) })
      #expect(!text.utf8.prefix(12).allSatisfy { $0 < 0x3A })
    }
    #expect(Set((0..<100).map { _ in ImageID.random() }).count == 100)
  }

  @Test(arguments: ["", ".", "..", "a/b", "../esc", "a\u{0}"])
  func `What would leave the store is no identifier`(text: String) {
    #expect(throws: StorageError.self) { try LayerID(validating: text) }
    #expect(throws: StorageError.self) { try ImageID(validating: text) }
    #expect(throws: StorageError.self) { try ContainerID(validating: text) }
    #expect(LayerID(recorded: text) == nil)
  }

  @Test(arguments: ["a:b", "a,b", #"a\b"#, "a\"b", "a b", "a\tb", "a\u{A0}b"])
  func `Layers refuse what overlay cannot mount, but read it`(text: String) throws {
    let error = #expect(throws: StorageError.self) { try LayerID(validating: text) }
    #expect(error?.code == .invalidIdentifier)
    #expect(try ImageID(validating: text).rawValue == text)
    #expect(LayerID(recorded: text)?.rawValue == text)
  }

  @Test func `Identifiers are compared by bytes`() throws {
    #expect(try LayerID(validating: "\u{E9}") != LayerID(validating: "e\u{301}"))
    #expect(withoutRepeats(["a", "\u{E9}", "e\u{301}", "a"]).count == 3)
  }
}

@Suite("Digests") struct DigestTests {
  @Test(arguments: [("sha256", 64), ("sha384", 96), ("sha512", 128)])
  func `Digests of the three algorithms are valid`(algorithm: String, digits: Int) throws {
    let digest = try Digest(parsing: algorithm + ":" + String(repeating: "a", count: digits))
    #expect(digest.algorithm == algorithm)
    #expect(digest.hex.utf8.count == digits)
    #expect(throws: DigestError.invalidLength) {
      try Digest(parsing: algorithm + ":" + String(repeating: "a", count: digits - 1))
    }
    #expect(throws: DigestError.invalidFormat) {
      try Digest(parsing: algorithm + ":" + String(repeating: "A", count: digits))
    }
  }

  @Test(arguments: ["", ":", "sha256", "sha256:", "SHA256:aa", "sha256:a/b", ":abc", "sha256:é"])
  func `Other texts have an invalid format`(text: String) {
    #expect(throws: DigestError.invalidFormat) { try Digest(parsing: text) }
  }

  @Test func `Other algorithms are unsupported`() {
    #expect(throws: DigestError.unsupportedAlgorithm) { try Digest(parsing: "md5:0123") }
    #expect("\(DigestError.unsupportedAlgorithm)" == "unsupported digest algorithm")
    #expect("\(DigestError.invalidFormat)" == "invalid checksum digest format")
    #expect("\(DigestError.invalidLength)" == "invalid checksum digest length")
  }

  @Test func `Image digests list the recorded one first, then those of manifests`() throws {
    func digest(_ letter: String) throws -> Digest {
      try Digest(parsing: "sha256:" + String(repeating: letter, count: 64))
    }
    var image = ImageRecord(id: try ImageID(validating: "i"), names: ["n", "m"])
    image.bigDataDigests = [
      "manifest-x": try digest("b"), "manifest": try digest("c"), "zzz": try digest("d"), "manifest-y": try digest("c"),
    ]
    #expect(try image.computedDigests() == [digest("c"), digest("b")])
    image.digest = try digest("b")
    #expect(try image.computedDigests() == [digest("b"), digest("c")])
    image.bigDataDigests["manifest"] = Digest(recorded: "sha256:12")
    let error = #expect(throws: StorageError.self) { try image.computedDigests() }
    #expect(
      error?.message
        == #"computing digests for image with ID "i" ([n m]): validating digest "sha256:12" for big data item "#
        + #""manifest": invalid checksum digest length"#)
  }
}

@Suite("ID maps") struct IDMapsTests {
  private let maps = IDMaps(
    uids: [IDMapping(containerID: 0, hostID: 1000, size: 1), IDMapping(containerID: 1, hostID: 100_000, size: 65536)],
    gids: [IDMapping(containerID: 5, hostID: 7, size: 1)])

  @Test func `The first matching range translates`() throws {
    #expect(try maps.hostIDs(uid: 0, gid: 5) == (1000, 7))
    #expect(try maps.hostIDs(uid: 65536, gid: 5) == (165_535, 7))
    #expect(try maps.containerIDs(uid: 100_000, gid: 7) == (1, 5))
    #expect(maps.toHost(uid: 65537, gid: 5) == nil)
  }

  @Test func `The error names the first ID that is not covered`() {
    #expect(throws: IDMapError.container(65537)) { try maps.hostIDs(uid: 65537, gid: 9) }
    #expect(throws: IDMapError.host(8)) { try maps.containerIDs(uid: 1000, gid: 8) }
    #expect("\(IDMapError.container(0))" == "container ID 0 cannot be mapped to a host ID")
    #expect("\(IDMapError.host(3))" == "host ID 3 cannot be mapped to a container ID")
  }

  @Test func `No ranges are the identity`() throws { #expect(try IDMaps().hostIDs(uid: 12, gid: 13) == (12, 13)) }

  @Test func `The root of a single ID is that ID, whatever it maps`() throws {
    #expect(try maps.rootHostIDs() == (1000, 7))
    #expect(try IDMaps().rootHostIDs() == (0, 0))
    #expect(throws: IDMapError.container(0)) {
      try IDMaps(uids: [IDMapping(containerID: 1, hostID: 2, size: 5)]).rootHostIDs()
    }
  }

  @Test func `Absurd ranges do not trap`() {
    let odd = IDMaps(
      uids: [IDMapping(containerID: .min, hostID: .max, size: .max), IDMapping(containerID: 0, hostID: .max, size: 9)])
    #expect(odd.toHost(uid: 5, gid: 0) == nil)
    #expect(odd.toContainer(uid: -3, gid: 0) == nil)
  }
}
