<?xml version="1.0" encoding="UTF-8"?>
<!-- SPDX-License-Identifier: Apache-2.0 -->
<!-- fields.xsl: forms, their fields, and the problems with what was typed. -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"
                xmlns:m="urn:mod_esign:text" exclude-result-prefixes="m">

  <!-- No checks by the browser: the server's messages are in the page's language and say what to
       do. -->
  <xsl:template match="form">
    <form class="fields" method="post" action="{@action}" novalidate="novalidate">
      <xsl:variable name="submit" select="m:text(concat('submit.', /page/@name))"/>
      <!-- The Enter key presses the first button of a form. This one sends the form; without it
           Enter would ask for another picture. -->
      <xsl:if test="challenge">
        <input class="unseen" type="submit" value="{$submit}" tabindex="-1" aria-hidden="true"/>
      </xsl:if>
      <xsl:apply-templates select="@mark"/>
      <xsl:apply-templates select="field | challenge"/>
      <div class="actions">
        <button class="primary" type="submit"><xsl:value-of select="$submit"/></button>
      </div>
    </form>
  </xsl:template>

  <!-- Names the subscriber of the form, who may have signed out in another tab meanwhile. -->
  <xsl:template match="@mark">
    <input type="hidden" name="mark" value="{.}"/>
  </xsl:template>

  <xsl:template match="field">
    <xsl:call-template name="control">
      <xsl:with-param name="name" select="@name"/>
      <xsl:with-param name="value" select="@value"/>
    </xsl:call-template>
  </xsl:template>

  <!-- At most three ways to show that a person is there, as the server offers them: a picture, the
       same characters spoken, and a calculation by the browser. -->
  <xsl:template match="challenge">
    <input type="hidden" name="challenge" value="{@value}"/>
    <xsl:if test="@picture or @sound">
      <xsl:call-template name="control">
        <xsl:with-param name="name" select="'answer'"/>
        <xsl:with-param name="value" select="@answer"/>
      </xsl:call-template>
      <div class="picture">
        <xsl:apply-templates select="@picture"/>
        <div class="ways">
          <button type="submit" name="new" value="picture" formnovalidate="formnovalidate">
            <xsl:apply-templates select="." mode="new"/>
          </button>
          <xsl:apply-templates select="@sound"/>
        </div>
      </div>
    </xsl:if>
    <xsl:apply-templates select="work"/>
  </xsl:template>

  <xsl:template match="challenge/@picture">
    <img src="{.}" width="200" height="60" alt="{m:text('picture.alternative')}"/>
  </xsl:template>

  <xsl:template match="challenge" mode="new">
    <xsl:value-of select="m:text('picture.new')"/>
  </xsl:template>
  <xsl:template match="challenge[not(@picture)]" mode="new">
    <xsl:value-of select="m:text('sound.new')"/>
  </xsl:template>

  <!-- The browser's own controls, which esign.js replaces by one button. -->
  <xsl:template match="challenge/@sound">
    <div class="listen">
      <audio src="{.}" controls="controls" preload="none" aria-label="{m:text('sound.listen')}"
             aria-describedby="sound-hint"/>
      <span class="unseen" id="sound-hint"><xsl:value-of select="m:text('sound.hint')"/></span>
    </div>
  </xsl:template>

  <!-- esign.js adds the button here, and work.js finds the number. -->
  <xsl:template match="work">
    <xsl:variable name="alone" select="not(../@picture or ../@sound)"/>
    <xsl:variable name="problem" select="/page/problem[@field = 'work']"/>
    <div class="work" id="work" data-worker="{/page/@static}/work.js" data-salt="{@salt}"
         data-target="{@target}" data-max="{@max}" data-running="{m:text('work.running', '#')}"
         data-wait="{m:text('work.wait')}" data-done="{m:text('work.done')}"
         data-needless="{m:text('work.needless')}" data-failed="{m:text('work.failed')}">
      <xsl:attribute name="data-button">
        <xsl:choose>
          <xsl:when test="$alone"><xsl:value-of select="m:text('work.again')"/></xsl:when>
          <xsl:otherwise><xsl:value-of select="m:text('work.button')"/></xsl:otherwise>
        </xsl:choose>
      </xsl:attribute>
      <xsl:if test="$alone"><xsl:attribute name="data-alone">yes</xsl:attribute></xsl:if>
      <xsl:if test="$problem">
        <xsl:attribute name="class">work invalid</xsl:attribute>
        <p class="problem"><xsl:apply-templates select="$problem"/></p>
      </xsl:if>
      <input type="hidden" name="work" value="{@number}"/>
      <xsl:if test="$alone">
        <noscript><p class="warning"><xsl:value-of select="m:text('work.script')"/></p></noscript>
      </xsl:if>
    </div>
  </xsl:template>

  <!-- Label, hint, problem and input of one field, linked by ids. -->
  <xsl:template name="control">
    <xsl:param name="name"/>
    <xsl:param name="value"/>
    <xsl:variable name="problem" select="/page/problem[@field = $name]"/>
    <xsl:variable name="hint"><xsl:apply-templates select="." mode="hint"/></xsl:variable>
    <div class="field">
      <xsl:if test="$problem"><xsl:attribute name="class">field invalid</xsl:attribute></xsl:if>
      <label for="{$name}"><xsl:apply-templates select="." mode="label"/></label>
      <xsl:if test="string($hint)">
        <p class="hint" id="{$name}-hint"><xsl:value-of select="$hint"/></p>
      </xsl:if>
      <xsl:if test="$problem">
        <p class="problem" id="{$name}-problem"><xsl:apply-templates select="$problem"/></p>
      </xsl:if>
      <div class="input">
        <input id="{$name}" name="{$name}" type="text">
          <xsl:if test="string($value)">
            <xsl:attribute name="value"><xsl:value-of select="$value"/></xsl:attribute>
          </xsl:if>
          <xsl:apply-templates select="." mode="kind"/>
          <!-- Only the last field names the Enter key: on some phones "next" sends the form. -->
          <xsl:if test="not(following-sibling::field | following-sibling::challenge)">
            <xsl:attribute name="enterkeyhint">go</xsl:attribute>
          </xsl:if>
          <xsl:if test="$problem">
            <xsl:attribute name="aria-invalid">true</xsl:attribute>
            <xsl:if test="/page/problem[@field][1]/@field = $name">
              <xsl:attribute name="autofocus">autofocus</xsl:attribute>
            </xsl:if>
          </xsl:if>
          <xsl:if test="$problem or string($hint)">
            <xsl:attribute name="aria-describedby">
              <xsl:if test="$problem"><xsl:value-of select="concat($name, '-problem')"/></xsl:if>
              <xsl:if test="$problem and string($hint)"><xsl:text> </xsl:text></xsl:if>
              <xsl:if test="string($hint)"><xsl:value-of select="concat($name, '-hint')"/></xsl:if>
            </xsl:attribute>
          </xsl:if>
        </input>
      </div>
    </div>
  </xsl:template>

  <xsl:template match="field" mode="label">
    <xsl:value-of select="m:text(concat('label.', @name))"/>
  </xsl:template>
  <xsl:template match="challenge" mode="label">
    <xsl:value-of select="m:text('label.answer')"/>
  </xsl:template>
  <xsl:template match="challenge[not(@picture)]" mode="label">
    <xsl:value-of select="m:text('label.heard')"/>
  </xsl:template>

  <xsl:template match="field[@name = 'id']" mode="hint">
    <xsl:value-of select="m:text('hint.id')"/>
  </xsl:template>
  <xsl:template match="field[@name = 'code']" mode="hint">
    <xsl:value-of select="m:text('hint.code', string(/page/code/@digits))"/>
  </xsl:template>
  <xsl:template match="field[@name = 'again']" mode="hint">
    <xsl:value-of select="m:text('hint.again')"/>
  </xsl:template>
  <xsl:template match="field[@name = 'word']" mode="hint">
    <xsl:apply-templates select="/page/policy" mode="hint"/>
  </xsl:template>
  <xsl:template match="policy" mode="hint">
    <xsl:value-of select="m:text('hint.policy', string(@min), string(@max))"/>
  </xsl:template>
  <xsl:template match="challenge" mode="hint">
    <xsl:value-of select="m:text('hint.answer')"/>
  </xsl:template>
  <xsl:template match="challenge[@picture and @sound]" mode="hint">
    <xsl:value-of select="m:text('hint.answer-or-sound')"/>
  </xsl:template>
  <xsl:template match="challenge[not(@picture)]" mode="hint">
    <xsl:value-of select="m:text('hint.heard')"/>
  </xsl:template>

  <!-- The attributes of an input for keyboards, password managers and esign.js. -->
  <xsl:template match="field[@name = 'id']" mode="kind">
    <xsl:attribute name="inputmode">numeric</xsl:attribute>
    <xsl:attribute name="autocomplete">username</xsl:attribute>
  </xsl:template>
  <xsl:template match="field[@name = 'code']" mode="kind">
    <xsl:attribute name="inputmode">numeric</xsl:attribute>
    <xsl:attribute name="autocomplete">one-time-code</xsl:attribute>
    <xsl:attribute name="data-filled"><xsl:value-of select="m:text('code.filled')"/></xsl:attribute>
  </xsl:template>
  <xsl:template match="field[@name = 'current' or @name = 'word' or @name = 'again']" mode="kind">
    <xsl:attribute name="type">password</xsl:attribute>
    <xsl:attribute name="autocomplete">
      <xsl:choose>
        <xsl:when test="/page/policy and @name != 'current'">new-password</xsl:when>
        <xsl:otherwise>current-password</xsl:otherwise>
      </xsl:choose>
    </xsl:attribute>
    <xsl:attribute name="autocapitalize">none</xsl:attribute>
    <xsl:attribute name="spellcheck">false</xsl:attribute>
    <xsl:attribute name="data-show"><xsl:value-of select="m:text('word.show')"/></xsl:attribute>
    <xsl:attribute name="data-hide"><xsl:value-of select="m:text('word.hide')"/></xsl:attribute>
  </xsl:template>
  <xsl:template match="challenge" mode="kind">
    <xsl:attribute name="autocapitalize">characters</xsl:attribute>
    <xsl:attribute name="autocomplete">off</xsl:attribute>
    <xsl:attribute name="spellcheck">false</xsl:attribute>
  </xsl:template>

  <!-- All problems at the top of the page, and each again at its field. -->
  <xsl:template match="page" mode="summary"/>
  <xsl:template match="page[problem]" mode="summary">
    <div class="summary" role="alert" tabindex="-1">
      <h2><xsl:value-of select="m:text('summary')"/></h2>
      <ul>
        <xsl:for-each select="problem">
          <li>
            <xsl:choose>
              <xsl:when test="@field">
                <a href="#{@field}"><xsl:apply-templates select="."/></a>
              </xsl:when>
              <xsl:otherwise><xsl:apply-templates select="."/></xsl:otherwise>
            </xsl:choose>
          </li>
        </xsl:for-each>
      </ul>
    </div>
  </xsl:template>

  <xsl:template match="problem">
    <xsl:call-template name="counted">
      <xsl:with-param name="key" select="concat('problem.', @code)"/>
      <xsl:with-param name="count" select="string(argument)"/>
    </xsl:call-template>
  </xsl:template>
  <xsl:template match="problem[starts-with(@code, 'answer-')][//challenge[not(@picture)]]">
    <xsl:value-of select="m:text(concat('problem.heard-', substring-after(@code, 'answer-')))"/>
  </xsl:template>
  <xsl:template match="problem[@code = 'resend-early' or @code = 'code-waiting']">
    <xsl:variable name="wait">
      <xsl:call-template name="duration">
        <xsl:with-param name="seconds" select="number(argument)"/>
      </xsl:call-template>
    </xsl:variable>
    <xsl:value-of select="m:text(concat('problem.', @code), string($wait))"/>
  </xsl:template>
  <xsl:template match="problem[@code = 'too-many']">
    <xsl:variable name="wait">
      <xsl:call-template name="counted">
        <xsl:with-param name="key" select="'duration.minutes'"/>
        <xsl:with-param name="count" select="string(argument)"/>
      </xsl:call-template>
    </xsl:variable>
    <xsl:value-of select="m:text('problem.too-many', string($wait))"/>
  </xsl:template>

</xsl:stylesheet>
