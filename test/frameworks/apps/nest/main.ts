import "reflect-metadata";
import {
  Body,
  Controller,
  Get,
  Injectable,
  Ip,
  Module,
  Post,
  Query,
  Redirect,
  Req,
  Res,
  Sse,
  StreamableFile,
  UploadedFile,
  UseInterceptors,
} from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import { FileInterceptor } from "@nestjs/platform-express";
import { Readable } from "node:stream";
import { from, map } from "rxjs";
import { leave, measured } from "../shared/node-parts.js";
import { large, left, sha256, wordByWord } from "../shared/parts.js";

@Injectable()
class Service {
  shown(query: object) {
    return { query };
  }
}

@Controller()
class AppController {
  constructor(private readonly service: Service) {}

  @Get("query") query(@Query() query: object) {
    return this.service.shown(query);
  }
  @Post("json") json(@Body() body: object) {
    return { body };
  }
  @Post("form") form(@Body() form: object) {
    return { form };
  }
  @Post("upload") @UseInterceptors(FileInterceptor("file")) upload(
    @UploadedFile() file,
    @Body() body,
  ) {
    const { originalname, mimetype, size, buffer } = file;
    return { ...body, originalname, mimetype, size, sha256: sha256(buffer) };
  }
  @Get("stream") stream() {
    return new StreamableFile(Readable.from(wordByWord(), { objectMode: false }));
  }
  @Sse("sse") sse() {
    return from(wordByWord((word) => word)).pipe(map((data) => ({ data })));
  }
  @Get("cookies") cookies(@Req() req, @Res() res) {
    res.cookie("a", "1").cookie("b", "2").send(req.headers.cookie);
  }
  @Get("redirect") @Redirect("/query?a=redirected") redirect() {}
  @Get("throw") throws() {
    throw new Error("on purpose");
  }
  @Get("large") large() {
    return new StreamableFile(large);
  }
  @Post("large") async measure(@Req() req) {
    return measured(req);
  }
  @Get("address") address(@Ip() ip: string) {
    return ip;
  }
  @Get("leave") leave(@Req() req, @Res() res) {
    leave(req, res);
  }
  @Get("left") left() {
    return String(left.count);
  }
}

@Module({ controllers: [AppController], providers: [Service] })
class AppModule {}

const app = await NestFactory.create(AppModule, { logger: false });
await app.listen(process.env.PORT);
