// SPDX-License-Identifier: Apache-2.0

import Glibc
import Stowage
import StowageDigest
import StowageModel
import StowageStore
import StowageSystem
import StowageTestSupport
import Synchronization
import SystemPackage
import Testing

@testable import StowageOCI

/// Expected values: registries 7.1 and 7.5 to 7.7.
@Suite("Saved images", .enabled(if: getuid() == 0, "owners")) struct SaveTests {
  /// A store with an image of three layers, the middle one empty.
  private func made(_ tag: String = "localhost/a:1") throws -> TestStore {
    let test = try TestStore("vfs")
    try test.make(
      MadeImage(
        tags: [tag],
        layers: [
          layer("f", "one"), [UInt8](repeating: 0, count: 1024), layer("g", String(repeating: "x", count: 1_500_000)),
        ]))
    return test
  }

  @Test(.tags(.slow), arguments: [SaveCompression?.none, SaveCompression.none, .zstd(level: 7)])
  func `An OCI archive that is loaded and saved again has the same bytes and digest`(compression: SaveCompression?)
    throws
  {
    let test = try made()
    let out = try test.output()
    let options = SaveOptions(compression: compression)
    let first = try ImageSaver(test.store).save(["a:1"], to: .path("\(out)/1"), as: .ociArchive, options: options)
    let other = try TestStore("vfs")
    try other.load("\(out)/1")
    // The image in the store is one that says how its layers were compressed; the level, which it does not say, is given.
    let again = compression == nil ? SaveOptions() : options
    let second = try ImageSaver(other.store).save(
      ["localhost/a:1"], to: .path("\(out)/2"), as: .ociArchive, options: again)
    #expect(try contents("\(out)/1") == contents("\(out)/2"))
    #expect(second.map(\.digest) == [try other.store.images.find("localhost/a:1").record.digest])
    #expect(first.map(\.digest) == second.map(\.digest))
    // To a pipe, whose header is known before, and to a file, whose header is filled in.
    let piped = try Syscall.open(FilePath("\(out)/3"), [.writeOnly, .create], mode: 0o600)
    try ImageSaver(other.store).save(["a:1"], to: .descriptor(piped.rawValue), as: .ociArchive, options: again)
    #expect(try contents("\(out)/1") == contents("\(out)/3"))
  }

  @Test func `A layer compressed with zstd stays so, and the manifest with it, if nothing else is wanted`() throws {
    let test = try made()
    let out = try test.output()
    try ImageSaver(test.store).save(
      ["a:1"], to: .path("\(out)/1"), as: .ociArchive, options: SaveOptions(compression: .zstd()))
    let other = try TestStore("vfs")
    try other.load("\(out)/1")
    let saved = try ImageSaver(other.store).save(["a:1"], to: .path("\(out)/l"), as: .ociLayout)
    #expect(saved.map(\.digest) == [try other.store.images.find("localhost/a:1").record.digest])
    let gzip = try ImageSaver(other.store).save(
      ["a:1"], to: .path("\(out)/g"), as: .ociLayout, options: SaveOptions(compression: .gzip))
    #expect(gzip.map(\.digest) != saved.map(\.digest))
  }

  @Test func `Manifests keep what is unknown and annotations, and lose what told of a layer's old compression`() throws
  {
    let test = try made()
    let record = try test.store.images.find("localhost/a:1").record
    let config = try test.store.images.bigData("sha256:\(record.id)", of: record.id.rawValue)
    let layers = try test.store.images.layerArchives(of: record.id)
    let described = layers.map {
      #"{"mediaType":"application/vnd.oci.image.layer.v1.tar+zstd","digest":"sha256:\#(String(repeating: "1", count: 64))","#
        + #""size":7,"annotations":{"z":"1","a":"<2>","io.github.containers.zstd-chunked.manifest-position":"1:2:3:1"},"#
        + #""odd":\#($0.size ?? 0).50}"#
    }
    let manifest =
      #"{ "schemaVersion":2,"config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:\#(record.id)","#
      + #""size":\#(config.count),"data":"e30="},"layers":[\#(described.joined(separator: ","))],"#
      + #""annotations":{"b":"2","a":"1"},"x-new":[1.0,{"b":1,"a":2}]}"#
    try test.store.images.setBigData("manifest", bytes: Array(manifest.utf8), of: record.id.rawValue)
    let out = try test.output()
    let saved = try ImageSaver(test.store).save(
      ["a:1"], to: .path("\(out)/d"), as: .directory, options: SaveOptions(compression: SaveCompression.none))
    let written = String(decoding: try contents("\(out)/d/manifest.json"), as: UTF8.self)
    let expected = layers.map {
      #"{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"\#($0.digest)","size":\#($0.size ?? 0),"#
        + #""annotations":{"a":"\u003c2\u003e","z":"1"},"odd":\#($0.size ?? 0).50}"#
    }
    #expect(
      written
        == #"{"schemaVersion":2,"config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:\#(record.id)","#
        + #""size":\#(config.count),"data":"e30="},"layers":[\#(expected.joined(separator: ","))],"#
        + #""annotations":{"a":"1","b":"2"},"x-new":[1.0,{"b":1,"a":2}]}"#)
    #expect(saved.map(\.digest) == [sha256(of: Array(written.utf8))])
  }

  @Test func `Several images share layers in an archive, and all names come back`() throws {
    let test = try TestStore("vfs")
    let base = layer("f", "one")
    try test.make(
      MadeImage(tags: ["localhost/a:1", "quay.io/b/c:2"], layers: [base]),
      MadeImage(tags: ["docker.io/library/d:3"], layers: [base, layer("g", "two"), base]))
    let out = try test.output()
    for format in [SaveFormat.dockerArchive, .ociArchive] {
      let saved = try ImageSaver(test.store).save(["a:1", "d:3", "b/c:2"], to: .path("\(out)/\(format)"), as: format)
      #expect(saved.map(\.names) == [["localhost/a:1", "quay.io/b/c:2"], ["docker.io/library/d:3"]])
      let other = try TestStore("vfs")
      try other.load("\(out)/\(format)")
      for name in ["localhost/a:1", "quay.io/b/c:2", "docker.io/library/d:3"] {
        let (there, here) = (try other.store.images.find(name), try test.store.images.find(name))
        if format == .dockerArchive { #expect(there.id == here.id) }
        #expect(there.record.layer == here.record.layer)
      }
      let members = try shell("tar -tf \(out)/\(format)").split(separator: "\n")
      #expect(Set(members).count == members.count)
    }
  }

  @Test func `A file that somebody puts in the way meanwhile is not replaced by a docker-archive`() throws {
    let test = try made()
    let out = try test.output()
    let progress = SaveProgress { report in
      if report.layer == 2 { _ = try? shell("echo precious > \(out)/x") }
    }
    #expect(throws: StorageError.self) {
      try ImageSaver(test.store).save(["a:1"], to: .path("\(out)/x"), progress: progress)
    }
    #expect(try contents("\(out)/x") == Array("precious\n".utf8))
    #expect(try test.names(in: out) == ["x"])
  }

  @Test(arguments: [SaveFormat.dockerArchive, .ociArchive, .ociLayout, .directory])
  func `A save that is cancelled leaves what was there`(format: SaveFormat) throws {
    let test = try made()
    let out = try test.output()
    if format == .ociArchive { _ = test.scratch.write(Array("old".utf8), "out/x") }
    let begun = Mutex(false)
    let progress = SaveProgress(isCancelled: { begun.withLock { $0 } }) { report in
      if report.layer == 2, report.doneBytes > 0 { begun.withLock { $0 = true } }
    }
    let error = #expect(throws: StorageError.self) {
      try ImageSaver(test.store).save(["a:1"], to: .path("\(out)/x"), as: format, progress: progress)
    }
    #expect(error?.code == .cancelled)
    #expect(try test.names(in: out) == (format == .ociArchive ? ["x"] : []))
    if format == .ociArchive { #expect(try contents("\(out)/x") == Array("old".utf8)) }
  }

  @Test(arguments: [SaveFormat.dockerArchive, .ociArchive, .ociLayout])
  func `A layer that is deleted meanwhile ends the save, and no lock keeps the deletion waiting`(format: SaveFormat)
    throws
  {
    let test = try made()
    let out = try test.output()
    let store = test.store
    let progress = SaveProgress { report in
      guard report.layer == 0, report.state == .done else { return }
      #expect(throws: Never.self) { try store.images.delete("localhost/a:1") }
    }
    let error = #expect(throws: StorageError.self) {
      try ImageSaver(store).save(["a:1"], to: .path("\(out)/x"), as: format, progress: progress)
    }
    #expect(error?.code == .layerUnknown, "\(String(describing: error))")
    #expect(error?.message.contains("was deleted while it was read") == true)
    #expect(try test.names(in: out).isEmpty)
  }

  @Test func `A file that was changed in a layer ends the save`() throws {
    let test = try made()
    let out = try test.output()
    let top = try #require(try test.store.images.find("localhost/a:1").record.layer)
    try shell("printf y | dd of=\(test.graphRoot)/vfs/dir/\(top)/g conv=notrunc status=none bs=1 seek=1200000")
    for format in [SaveFormat.dockerArchive, .ociArchive, .ociLayout, .directory] {
      let error = #expect(throws: StorageError.self) {
        try ImageSaver(test.store).save(["a:1"], to: .path("\(out)/x"), as: format)
      }
      #expect(error?.code == .corrupt, "\(String(describing: error))")
      #expect(try test.names(in: out).isEmpty)
    }
  }

  @Test func `A tar-split file of other headers is found out by the digest`() throws {
    let test = try made()
    let out = try test.output()
    let base = try #require(try test.store.images.layerArchives(of: test.store.images.find("localhost/a:1").id).first)
      .id
    let file = "\(test.graphRoot)/vfs-layers/\(base).tar-split.gz"
    try shell(
      "gzip -dc \(file) | python3 -c 'import sys; sys.stdout.write(sys.stdin.read().replace(\"AAAA\", \"AAAB\", 1))' | gzip > \(out)/t; mv \(out)/t \(file)"
    )
    let error = #expect(throws: StorageError.self) { try ImageSaver(test.store).save(["a:1"], to: .path("\(out)/x")) }
    #expect(error?.code == .digestMismatch, "\(String(describing: error))")
    #expect(try test.names(in: out).isEmpty)
  }

  @Test func `A full disk and a reader that goes away are told of, and leave nothing`() throws {
    let test = try made()
    let out = try test.output()
    try SmallVolume.tmpfs.mount(at: FilePath(out), megabytes: 1)
    defer { _ = try? shell("umount \(out)") }
    for format in [SaveFormat.dockerArchive, .ociLayout] {
      let options = SaveOptions(compression: SaveCompression.none)
      let error = #expect(throws: StorageError.self) {
        try ImageSaver(test.store).save(["a:1"], to: .path("\(out)/x"), as: format, options: options)
      }
      #expect(error?.message.contains("no space left on device") == true, "\(String(describing: error))")
      #expect(try test.names(in: out).isEmpty)
    }
    let pipe = try Syscall.pipe()
    // Nobody reads: the save waits, and ends when it is asked to.
    let began = clock()
    let full = SaveProgress(isCancelled: { clock() - began > 300_000_000 }) { _ in }
    let stopped = #expect(throws: StorageError.self) {
      try ImageSaver(test.store).save(["a:1"], to: .descriptor(pipe.writer.rawValue), progress: full)
    }
    #expect(stopped?.code == .cancelled)
    #expect(clock() - began < 2_000_000_000)
    #expect(pipe.reader.rawValue >= 0)
  }

  private func clock() -> UInt64 {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    return UInt64(now.tv_sec) * 1_000_000_000 + UInt64(now.tv_nsec)
  }

  @Test func `What is in the way of a target is refused before anything is read`() throws {
    let test = try made()
    let out = try test.output()
    _ = test.scratch.write(Array("old".utf8), "out/file")
    try shell(
      "mkdir \(out)/full \(out)/empty; touch \(out)/full/x \(out)/none; chmod 600 \(out)/none; ln -s none \(out)/link")
    let saver = ImageSaver(test.store)
    func refusal(_ format: SaveFormat, _ path: String) throws -> String {
      let error = #expect(throws: StorageError.self) {
        try saver.save(
          ["a:1"], to: .path("\(out)/\(path)"), as: format, progress: SaveProgress { _ in Issue.record("began") })
      }
      return error?.message ?? ""
    }
    #expect(try refusal(.dockerArchive, "file").contains("docker-archive doesn't support modifying existing images"))
    #expect(try refusal(.dockerArchive, "full").contains("is a directory"))
    #expect(try refusal(.ociLayout, "full").contains("is not empty"))
    #expect(try refusal(.ociLayout, "file").contains("is no directory"))
    #expect(try refusal(.ociLayout, "missing/x").contains("no such file or directory"))
    #expect(try refusal(.dockerArchive, "missing/x").contains("no such file or directory"))
    // An empty file keeps its mode, a link leads where it led, and an empty directory is taken.
    try saver.save(["a:1"], to: .path("\(out)/link"))
    #expect(try shell("stat -c '%a %F' \(out)/none; readlink \(out)/link") == "600 regular file\nnone\n")
    try saver.save(["a:1"], to: .path("\(out)/empty/"), as: .ociLayout)
    #expect(try test.names(in: "\(out)/empty") == ["blobs", "index.json", "oci-layout"])
    #expect(try test.names(in: out) == ["empty", "file", "full", "link", "none"])
  }

  @Test func `What cannot be saved says why`() throws {
    let test = try made()
    let out = try test.output()
    func refusal(
      _ format: SaveFormat = .dockerArchive, _ images: [String] = ["a:1"], _ options: SaveOptions = SaveOptions()
    ) -> StorageError? {
      #expect(throws: StorageError.self) {
        try ImageSaver(test.store).save(images, to: .path("\(out)/x"), as: format, options: options)
      }
    }
    #expect(refusal(.dockerArchive, ["nosuch"])?.code == .imageUnknown)
    #expect(refusal(.dockerArchive, ["a:1"], SaveOptions(compression: .gzip))?.code == .usage)
    #expect(refusal(.dockerDirectory, ["a:1"], SaveOptions(compression: .zstd()))?.code == .usage)
    #expect(refusal(.ociLayout, ["a:1"], SaveOptions(compression: .zstd(level: 77)))?.code == .usage)
    #expect(
      refusal(.dockerArchive, ["a:1"], SaveOptions(names: ["x@sha256:\(String(repeating: "1", count: 64))"]))?.code
        == .invalidReference)
    try test.make(MadeImage(tags: ["localhost/b:1"], layers: [layer("q", "q")]))
    #expect(refusal(.directory, ["a:1", "b:1"])?.code == .usage)
    let id = try test.store.images.find("localhost/b:1").id
    let list = #"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#
    try test.store.images.setBigData("manifest", bytes: Array(list.utf8), of: id.rawValue)
    #expect(refusal(.dockerArchive, ["b:1"])?.message.contains("list of manifests") == true)
    try test.store.images.setBigData("manifest", bytes: Array("{".utf8), of: id.rawValue)
    #expect(refusal(.dockerArchive, ["b:1"])?.code == .corrupt)
    #expect(try test.names(in: out).isEmpty)
  }

  @Test func `An archive can be had in pieces, which stop when nobody wants more`() async throws {
    let test = try made()
    let out = try test.output()
    let images = test.store.images
    for format in [SaveFormat.dockerArchive, .ociArchive] {
      try ImageSaver(test.store).save(["a:1"], to: .path("\(out)/\(format)"), as: format)
      #expect(try await images.archiveBytes(["a:1"], format: format) == contents("\(out)/\(format)"))
    }
    await #expect(throws: StorageError.self) { try await images.archiveBytes(["nosuch"]) }
    await #expect(throws: StorageError.self) { try await images.archiveBytes(["a:1"], format: .ociLayout) }
    let states = Mutex<[SaveProgress.LayerState]>([])
    let progress = SaveProgress { report in states.withLock { $0.append(report.state) } }
    for try await piece in images.archive(["a:1"], progress: progress) {
      #expect(!piece.isEmpty)
      break
    }
    usleep(200_000)
    #expect(states.withLock { $0.filter { $0 == .done }.count } < 3)
    let error = #expect(throws: StorageError.self) {
      try ImageSaver(test.store).save(["a:1"], to: .pieces { _ in throw StorageError(.usage, "mine") })
    }
    #expect(error?.code == .usage && error?.message.hasSuffix("mine") == true)
    withExtendedLifetime(test) {}
  }

  @Test func `The asynchronous form saves, and ends with its task`() async throws {
    let test = try made()
    let out = try test.output()
    let images = test.store.images
    try await images.save(["a:1"], to: .path("\(out)/1"))
    try ImageSaver(test.store).save(["a:1"], to: .path("\(out)/2"))
    #expect(try contents("\(out)/1") == contents("\(out)/2"))
    let task = Task {
      while !Task.isCancelled { await Task.yield() }
      try await images.save(["a:1"], to: .path("\(out)/3"))
    }
    task.cancel()
    await #expect(throws: StorageError.self) { try await task.value }
    #expect(try test.names(in: out) == ["1", "2"])
    withExtendedLifetime(test) {}
  }
}
